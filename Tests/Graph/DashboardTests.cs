using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Tests.TestKit.Pages;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Platform.Tests.Graph;

/// <summary>
/// The dashboard of the running graph, used as a person uses it: in a browser. Screenshots of what was seen are kept in
/// <c>artifacts/test-results/dashboard</c>.
/// </summary>
[Collection(TestCollections.Cache)]
public sealed partial class DashboardTests(StackFixture stack)
{
    private const string Dashboard = "aspire-dashboard";

    [Fact(Timeout = 300_000)]
    public async Task A_person_logs_in_sees_every_resource_reads_a_console_runs_a_command_and_follows_a_request()
    {
        TestBrowser.Require();
        await using var browser = await LaunchAsync();
        var page = await browser.OpenAsync();
        var dashboard = stack.App.GetEndpoint(Dashboard, "http");

        // Without the token the dashboard shows nothing but its login.
        await page.GotoAsync(dashboard.ToString());
        await Expect(page).ToHaveURLAsync(new Regex("/login"));

        await LogInAndSeeEveryResourceAsync(browser, page, dashboard);
        await ReadTheConsoleOfTheApiAsync(browser, page, dashboard);
        await FlushTheCacheAsync(browser, page, dashboard);
        await FollowARequestAsync(browser, page, dashboard);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_dashboard_that_was_killed_comes_back_where_it_was_with_everything_but_the_telemetry_of_before()
    {
        TestBrowser.Require();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        var cancel = TestContext.Current.CancellationToken;
        var dashboard = stack.App.GetEndpoint(Dashboard, "http");
        await stack.App.UntilHealthyAsync(Dashboard, TimeSpan.FromSeconds(60), cancel);
        await UntilAliveForAsync(TimeSpan.FromSeconds(6), cancel);

        var killed = ProcessId();
        using (var process = Process.GetProcessById(killed))
        {
            process.Kill();
        }

        using (var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) })
        {
            await Wait.UntilAsync(
                async () => ProcessId() is var now && now != 0 && now != killed && await AnswersAsync(http, new Uri(dashboard, "/health"), cancel),
                "another dashboard answers",
                cancel);
        }

        Assert.Equal(dashboard, stack.App.GetEndpoint(Dashboard, "http"));
        await using var browser = await LaunchAsync();
        var page = await browser.OpenAsync();
        await LogInAndSeeEveryResourceAsync(browser, page, dashboard);
        // What the console showed before is kept by the AppHost.
        await ReadTheConsoleOfTheApiAsync(browser, page, dashboard);
        // What happens from now on arrives at the new one.
        await FollowARequestAsync(browser, page, dashboard, skip: 1);
        await browser.KeepAsync(page, "restarted");
    }

    [Fact]
    public async Task The_resource_service_answers_only_with_its_key()
    {
        await stack.App.UntilHealthyAsync(Dashboard, TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.True(stack.App.ResourceNotifications.TryGetCurrentState(Dashboard, out var state));
        string Variable(string name) => state.Snapshot.EnvironmentVariables.Single(variable => variable.Name == name).Value!;
        using var service = new HttpClient { BaseAddress = new Uri(Variable("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL")) };

        Assert.Equal((HttpStatusCode.OK, "0"), await AskAsync(Variable("DASHBOARD__RESOURCESERVICECLIENT__APIKEY")));
        Assert.Equal((HttpStatusCode.Unauthorized, null), await AskAsync(new string('0', 32)));
        Assert.Equal((HttpStatusCode.Unauthorized, null), await AskAsync(key: null));

        // A call of gRPC with an empty message: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
        async Task<(HttpStatusCode, string?)> AskAsync(string? key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/aspire.v1.DashboardService/GetApplicationInformation")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(new byte[5]) { Headers = { ContentType = new("application/grpc") } },
                Headers = { { "TE", "trailers" } },
            };
            if (key is not null)
            {
                request.Headers.Add("x-resource-service-api-key", key);
            }

            using var answer = await service.SendAsync(request, TestContext.Current.CancellationToken);
            await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken); // the trailers come after it
            return (answer.StatusCode, answer.TrailingHeaders.TryGetValues("grpc-status", out var status) ? status.Single() : null);
        }
    }

    private static Task<TestBrowser> LaunchAsync() => TestBrowser.LaunchAsync("dashboard");

    private async Task LogInAndSeeEveryResourceAsync(TestBrowser browser, IPage page, Uri dashboard)
    {
        var token = stack.App.Services.GetRequiredService<IConfiguration>()["AppHost:BrowserToken"];
        await page.GotoAsync(new Uri(dashboard, $"/login?t={token}").ToString());

        foreach (var name in (string[])[ResourceNames.Cache, ResourceNames.Mongo, ResourceNames.Database, ResourceNames.Api])
        {
            await Expect(RowOf(page, name)).ToContainTextAsync("Running");
        }

        foreach (var name in (string[])[ResourceNames.Migrator, ResourceNames.Seeder])
        {
            await Expect(RowOf(page, name)).ToContainTextAsync("Finished");
        }

        await Expect(page.GetByText("Unhealthy")).ToHaveCountAsync(0);
        await browser.KeepAsync(page, "resources");
        await browser.KeepPictureAsync(page, Picture.Dashboard, height: 700);
    }

    private static async Task ReadTheConsoleOfTheApiAsync(TestBrowser browser, IPage page, Uri dashboard)
    {
        await page.GotoAsync(new Uri(dashboard, $"/consolelogs/resource/{ResourceNames.Api}").ToString());
        // Only the lines in sight are on the page, and the API says more after this one.
        await page.GetByRole(AriaRole.Searchbox).FillAsync("Now listening on");
        await Expect(page.GetByText("Now listening on").First).ToBeVisibleAsync();
        await browser.KeepAsync(page, "console");
    }

    private static async Task FlushTheCacheAsync(TestBrowser browser, IPage page, Uri dashboard)
    {
        await page.GotoAsync(dashboard.ToString());
        await RowOf(page, ResourceNames.Cache).GetByRole(AriaRole.Button, new() { Name = "Actions" }).ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Flush cache" }).First.ClickAsync();
        await page.Locator("fluent-dialog fluent-button").Filter(new() { HasText = "Yes" }).ClickAsync();

        // The dashboard says "succeeded" in a toast.
        await Expect(page.GetByText("\"Flush cache\" succeeded")).ToBeVisibleAsync();
        await browser.KeepAsync(page, "command");
    }

    private async Task FollowARequestAsync(TestBrowser browser, IPage page, Uri dashboard, int skip = 0)
    {
        await page.GotoAsync(new Uri(dashboard, $"/traces/resource/{ResourceNames.Api}").ToString());
        var trace = page.GetByRole(AriaRole.Row)
            .Filter(new() { HasText = "GET /tenants/{tenant}/products/{id}" })
            .Filter(new() { HasTextRegex = CacheSpans() })
            .Filter(new() { HasTextRegex = DatabaseSpans() });
        // What is sent while the exporter has not found a new dashboard yet is lost: then another product is asked for.
        for (var start = TimeProvider.System.GetTimestamp(); ; skip += 2)
        {
            await AskForAProductAsync(skip);
            try
            {
                await Expect(trace.Last).ToBeVisibleAsync(new() { Timeout = 10_000 });
                break;
            }
            catch (PlaywrightException) when (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMinutes(2))
            {
            }
        }

        await browser.KeepAsync(page, "traces");
        await trace.Last.GetByText("GET /tenants/{tenant}/products/{id}").First.ClickAsync();

        await Expect(page).ToHaveURLAsync(new Regex("/traces/detail/"));
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "GET /tenants/{tenant}/products/{id}" }).First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "find platform.products" }).First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "DATA redis" }).First).ToBeVisibleAsync();
        await browser.KeepAsync(page, "trace");
    }

    // A seeded product that no other test reads is not in the cache: Redis is asked, then MongoDB, then Redis is told.
    private async Task AskForAProductAsync(int skip)
    {
        var cancel = TestContext.Current.CancellationToken;
        var tenant = await stack.Database.GetCollection<BsonDocument>(CollectionNames.Tenants)
            .Find(new BsonDocument("status", "active")).SortByDescending(document => document["_id"]).FirstAsync(cancel);
        var product = await stack.Database.GetCollection<BsonDocument>(CollectionNames.Products)
            .Find(new BsonDocument
            {
                { "tenantId", tenant["_id"] }, { "status", "active" }, { "_id", new BsonDocument("$lt", ObjectId.Parse("5eedc0df" + new string('0', 16))) },
            })
            .SortByDescending(document => document["_id"]).Skip(skip).FirstAsync(cancel);
        using var answer = await stack.Api.GetAsync(new Uri($"tenants/{tenant["slug"].AsString}/products/{product["_id"]}", UriKind.Relative), cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
    }

    // 0 when there is none.
    private int ProcessId() => MarkedProcesses.Find(TestStack.Mark, stack.DataDirectory)
        .FirstOrDefault(process => process.Value.Contains("Aspire.Dashboard", StringComparison.Ordinal)).Key;

    // One that ends soon after its start is not started again.
    private async Task UntilAliveForAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        Assert.True(stack.App.ResourceNotifications.TryGetCurrentState(Dashboard, out var state));
        var started = Assert.NotNull(state.Snapshot.StartTimeStamp);
        await Wait.UntilAsync(() => DateTime.UtcNow - started.ToUniversalTime() > age, "the dashboard is old enough", cancellationToken);
    }

    private static async Task<bool> AnswersAsync(HttpClient http, Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(address, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception)
            when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false; // nothing listens yet
        }
    }

    private static ILocator RowOf(IPage page, string resource)
        => page.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByText(resource, new() { Exact = true }) }).First;

    [GeneratedRegex(@"cache \(\d+\)")]
    private static partial Regex CacheSpans();

    // The peer is the server where it is a resource, else the database.
    [GeneratedRegex(@"(platform|mongo-\d) \(\d+\)")]
    private static partial Regex DatabaseSpans();
}
