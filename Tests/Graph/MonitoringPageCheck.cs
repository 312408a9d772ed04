using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Platform.Monitor.Collectors;
using Platform.Monitoring;
using Platform.Tests.TestKit.Pages;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Platform.Tests.Graph;

/// <summary>The monitor's page of a running stack: what it is told by Prometheus, and what a person sees and does there.</summary>
/// <param name="stack">The stack, with the part <c>monitoring</c>.</param>
/// <param name="headline">What it says first, while one critical alert fires.</param>
internal sealed class MonitoringPageCheck(TestStack stack, string headline)
{
    // Charts that have something to show a minute after a stack with backups has started, with one member and one node.
    private static readonly Dictionary<string, string[]> s_full = new(StringComparer.Ordinal)
    {
        ["api"] = ["requests", "latency", "pool", "pool-wait", "cache-reads"],
        ["mongo"] = ["operations", "connections", "memory", "waiting", "states"],
        ["redis"] = ["redis-memory", "evictions", "clients"],
        ["backup"] = ["window", "backup-age", "archive-lag", "backup-size"],
        ["storage"] = ["disk", "collections", "indexes", "outbox"],
    };

    private string _url = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Checks all of it.</summary>
    public async Task RunAsync()
    {
        var address = stack.App.GetEndpoint(ResourceNames.Monitor, "http");
        var password = await stack.App.Services.GetRequiredService<DistributedApplicationModel>().Resources.OfType<ParameterResource>()
            .Single(parameter => parameter.Name == $"{ResourceNames.Monitor}-password").GetValueAsync(Cancel);
        using var http = new HttpClient { BaseAddress = address };
        using (var answer = await http.GetAsync(new Uri("/data/overview", UriKind.Relative), Cancel))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{MonitorPaths.User}:{password}")));
        await ChartsAreFullAsync(http);
        await NamesAreThoseThatThereAreAsync();
        _url = new UriBuilder(address) { UserName = MonitorPaths.User, Password = password }.Uri.ToString();
        await CommandsAnswerAsync(_url);
        if (File.Exists(TestBrowser.Program))
        {
            await APersonLooksAsync(address, password!);
        }
    }

    /// <summary>Asks as <c>./platform queries</c> does, once <see cref="RunAsync"/> was.</summary>
    public Task<ProgramResult> QueriesAsync(string words) => QueriesAsync(_url, words.Split(' '));

    private async Task ChartsAreFullAsync(HttpClient http)
    {
        using var api = stack.App.CreateHttpClient(ResourceNames.Api);
        var missing = new List<string>();
        await Wait.UntilAsync(
            async () =>
            {
                await AskTheApiAsync(api);
                missing.Clear();
                foreach (var (section, panels) in s_full)
                {
                    var answer = await http.GetFromJsonAsync<JsonElement>(new Uri($"/data/sections/{section}?range=15m", UriKind.Relative), Cancel);
                    var full = answer.GetProperty("panels").EnumerateArray()
                        .Where(panel => panel.GetProperty("lines").EnumerateArray().Any(line =>
                            line.GetProperty("values").EnumerateArray().Any(value => value.ValueKind == JsonValueKind.Number)))
                        .Select(panel => panel.GetProperty("id").GetString());
                    missing.AddRange(panels.Except(full)!);
                }

                return missing.Count == 0;
            },
            () => $"every chart has a line; none have {string.Join(", ", missing)}",
            TimeSpan.FromSeconds(90),
            Cancel);
        var overview = await http.GetFromJsonAsync<JsonElement>(new Uri("/data/overview", UriKind.Relative), Cancel);
        foreach (var tile in overview.GetProperty("tiles").EnumerateArray())
        {
            // One member follows nobody, and nothing need have been asked of Redis, or of the API in these seconds.
            var id = tile.GetProperty("tile").GetProperty("id").GetString();
            var hasValue = tile.GetProperty("value").ValueKind == JsonValueKind.Number;
            Assert.True(id is "lag" or "hits" or "slow" or "latency" || hasValue, $"the tile {id} has no value");
        }
    }

    // What promtool cannot know: the names that a service's metrics have for Prometheus.
    private async Task NamesAreThoseThatThereAreAsync()
    {
        var url = new Uri((await stack.App.GetConnectionStringAsync(ResourceNames.Prometheus, Cancel))!);
        using var prometheus = new HttpClient { BaseAddress = new UriBuilder(url) { UserName = "", Password = "" }.Uri };
        prometheus.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo))));
        var answer = await prometheus.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/label/__name__/values", UriKind.Relative), Cancel);
        var there = answer.GetProperty("data").EnumerateArray().Select(name => name.GetString()).ToHashSet(StringComparer.Ordinal);
        var asked = typeof(ServiceMetrics).GetFields().Select(field => ((string)field.GetValue(null)!).Split('{')[0]).Distinct(StringComparer.Ordinal);
        // These come with what they count: callers without a connection, requests that are turned away, a drill, and a copy of the backups.
        string[] late =
        [
            "db_client_connection_timeouts_total", "platform_mongo_gate_rejected_total", "platform_backup_drill_good", "platform_backup_copy_lag_seconds",
        ];
        Assert.All(asked.Except(late), name => Assert.Contains(name, there));
        Assert.DoesNotContain("platform_backup_drill_good_ratio", there);
    }

    private static async Task AskTheApiAsync(HttpClient api)
    {
        for (var i = 0; i < 5; i++)
        {
            using var answer = await api.GetAsync(new Uri($"/tenants/nobody-{i}/products", UriKind.Relative), Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    private static async Task CommandsAnswerAsync(string url)
    {
        var top = await QueriesAsync(url, "top", "--json");
        Assert.True(top.ExitCode == 0, top.Errors);
        Assert.Equal(JsonValueKind.Array, top.Json.ValueKind);
        var none = await QueriesAsync(url, "explain", "0badc0de");
        Assert.Equal(2, none.ExitCode);
        Assert.StartsWith("queries: there is no shape 0badc0de", none.Sentence, StringComparison.Ordinal);
        var wrong = await QueriesAsync(url.Replace(MonitorPaths.User, "somebody", StringComparison.Ordinal), "slow");
        Assert.Equal((1, "queries: the monitor refuses that: 401 (Unauthorized)."), (wrong.ExitCode, wrong.Sentence));
    }

    private static Task<ProgramResult> QueriesAsync(string url, params string[] arguments) => ProgramResult.OfAsync(
        new ProcessStartInfo(BuiltProgram.Path("Monitor"), ["queries", .. arguments]) { Environment = { [SettingNames.MonitorUrl] = url } }, Cancel);

    private async Task APersonLooksAsync(Uri address, string password)
    {
        await using var browser = await TestBrowser.LaunchAsync("monitoring");
        var mistakes = new List<string>();
        var page = await browser.OpenAsync(new()
        {
            HttpCredentials = new() { Username = MonitorPaths.User, Password = password }, ColorScheme = ColorScheme.Light,
        });
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                mistakes.Add(message.Text);
            }
        };
        page.PageError += (_, error) => mistakes.Add(error);
        await page.GotoAsync(address.ToString());
        await Expect(page.Locator("#banner")).ToHaveAttributeAsync("data-state", "critical");
        await Expect(page.Locator("#headline")).ToHaveTextAsync(headline);
        await ChangesAreSeenAsync(page);
        await browser.KeepAsync(page, "overview", whole: true);

        await page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Silence TestTrouble") }).ClickAsync();
        await page.Locator("#silence-comment").FillAsync("a test looks");
        await page.Locator("#silence-comment").PressAsync("Enter");
        await Expect(page.Locator("#headline")).ToHaveTextAsync("All is well");
        await Expect(page.GetByText("a test looks")).ToBeVisibleAsync();
        await browser.KeepAsync(page, "well", whole: true);
        await browser.KeepPictureAsync(page, Picture.Monitoring, height: 465);
        await page.GotoAsync(new Uri(address, "/#backup").ToString());
        await Expect(page.Locator("#panel-window canvas")).ToBeVisibleAsync();
        await browser.KeepPictureAsync(page, Picture.BackupWindow, height: 540);
        await page.GotoAsync(new Uri(address, "/#overview").ToString());
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^End the silence of alertname=TestTrouble") }).ClickAsync();
        await Expect(page.Locator("#headline")).ToHaveTextAsync(headline);

        foreach (var section in s_full.Keys.Append("queries"))
        {
            await page.GotoAsync(new Uri(address, $"/#{section}").ToString());
            await Expect(page.Locator("figure").First).ToBeVisibleAsync();
            if (s_full.TryGetValue(section, out var panels))
            {
                await Expect(page.Locator($"#panel-{panels[0]} canvas")).ToBeVisibleAsync();
            }

            await browser.KeepAsync(page, section, whole: true);
        }

        await page.GetByRole(AriaRole.Button, new() { Name = "Dark" }).ClickAsync();
        await page.GotoAsync(new Uri(address, "/#mongo").ToString());
        await Expect(page.Locator("#panel-operations canvas")).ToBeVisibleAsync();
        await browser.KeepAsync(page, "dark", whole: true);
        await page.SetViewportSizeAsync(390, 844);
        await page.GotoAsync(new Uri(address, "/#overview").ToString());
        await Expect(page.Locator(".tile").First).ToBeVisibleAsync();
        Assert.True(
            await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than a phone's screen");
        await browser.KeepAsync(page, "phone", whole: true);
        Assert.Empty(mistakes);
    }

    // What changes is seen within ten seconds.
    private async Task ChangesAreSeenAsync(IPage page)
    {
        var requests = page.Locator(".tile").Filter(new() { HasText = "Requests" }).Filter(new() { HasNotText = "Failed" }).Locator(".value");
        await Expect(requests).ToHaveTextAsync("0/s");
        using var api = stack.App.CreateHttpClient(ResourceNames.Api);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var asking = Task.Run(
            async () =>
            {
                // Slowly enough for the API's limits, and all the time.
                using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
                while (!enough.IsCancellationRequested && await pace.WaitForNextTickAsync(Cancel))
                {
                    await AskTheApiAsync(api);
                }
            },
            Cancel);
        await Expect(requests).Not.ToHaveTextAsync("0/s", new() { Timeout = 10_000 });
        await enough.CancelAsync();
        await asking;
    }
}
