using System.Text.RegularExpressions;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Platform.Tests.Integration;

/// <summary>
/// The dashboard of the running graph, used as a person uses it: in a browser. Screenshots of what was seen are kept in
/// <c>artifacts/test-results/dashboard</c>.
/// </summary>
public sealed partial class DashboardTests(StackFixture stack)
{
    private const string Browser = "/usr/bin/chromium";
    private const float Patience = 60_000; // milliseconds

    [Fact(Timeout = 300_000)]
    public async Task A_person_logs_in_sees_every_resource_reads_a_console_runs_a_command_and_follows_a_request()
    {
        Assert.SkipUnless(File.Exists(Browser), $"There is no browser at {Browser}: './platform test' installs Debian's chromium.");
        SetDefaultExpectTimeout(Patience);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Browser,
            // The pages come from this machine; nothing is asked elsewhere.
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
        });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1400, Height = 900 } });
        page.SetDefaultTimeout(Patience);
        var dashboard = stack.App.GetEndpoint("aspire-dashboard", "http");

        // Without the token the dashboard shows nothing but its login.
        await page.GotoAsync(dashboard.ToString());
        await Expect(page).ToHaveURLAsync(new Regex("/login"));

        await LogInAndSeeEveryResourceAsync(page, dashboard);
        await ReadTheConsoleOfTheApiAsync(page, dashboard);
        await FlushTheCacheAsync(page, dashboard);
        await FollowARequestAsync(page, dashboard);
    }

    private async Task LogInAndSeeEveryResourceAsync(IPage page, Uri dashboard)
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
        await KeepAsync(page, "resources");
    }

    private static async Task ReadTheConsoleOfTheApiAsync(IPage page, Uri dashboard)
    {
        await page.GotoAsync(new Uri(dashboard, $"/consolelogs/resource/{ResourceNames.Api}").ToString());
        await Expect(page.GetByText("Now listening on").First).ToBeVisibleAsync();
        await KeepAsync(page, "console");
    }

    private static async Task FlushTheCacheAsync(IPage page, Uri dashboard)
    {
        await page.GotoAsync(dashboard.ToString());
        await RowOf(page, ResourceNames.Cache).GetByRole(AriaRole.Button, new() { Name = "Actions" }).ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Flush cache" }).First.ClickAsync();
        await page.Locator("fluent-dialog fluent-button").Filter(new() { HasText = "Yes" }).ClickAsync();

        // The dashboard says "succeeded" in a toast.
        await Expect(page.GetByText("\"Flush cache\" succeeded")).ToBeVisibleAsync();
        await KeepAsync(page, "command");
    }

    private async Task FollowARequestAsync(IPage page, Uri dashboard)
    {
        // A product that no other test reads is not in the cache: Redis is asked, then MongoDB, then Redis is told.
        var product = await stack.Database.GetCollection<BsonDocument>(CollectionNames.Products)
            .Find(new BsonDocument()).SortByDescending(document => document["_id"]).FirstAsync(TestContext.Current.CancellationToken);
        var tenant = await stack.Database.GetCollection<BsonDocument>(CollectionNames.Tenants)
            .Find(new BsonDocument("_id", product["tenantId"])).FirstAsync(TestContext.Current.CancellationToken);
        using var answer = await stack.Api.GetAsync(
            new Uri($"tenants/{tenant["slug"].AsString}/products/{product["_id"]}", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");

        await page.GotoAsync(new Uri(dashboard, $"/traces/resource/{ResourceNames.Api}").ToString());
        var trace = page.GetByRole(AriaRole.Row)
            .Filter(new() { HasText = "GET /tenants/{tenant}/products/{id}" })
            .Filter(new() { HasTextRegex = CacheSpans() })
            .Filter(new() { HasTextRegex = DatabaseSpans() });
        await Expect(trace.Last).ToBeVisibleAsync();
        await KeepAsync(page, "traces");
        await trace.Last.GetByText("GET /tenants/{tenant}/products/{id}").First.ClickAsync();

        await Expect(page).ToHaveURLAsync(new Regex("/traces/detail/"));
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "GET /tenants/{tenant}/products/{id}" }).First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "find platform.products" }).First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "DATA redis" }).First).ToBeVisibleAsync();
        await KeepAsync(page, "trace");
    }

    private static ILocator RowOf(IPage page, string resource)
        => page.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByText(resource, new() { Exact = true }) }).First;

    private static async Task KeepAsync(IPage page, string name)
    {
        var directory = Path.GetFullPath(Path.Combine(Projects.AppHost.ProjectPath, "..", "artifacts", "test-results", "dashboard"));
        await page.ScreenshotAsync(new() { Path = Path.Combine(directory, $"{name}.png") });
    }

    [GeneratedRegex(@"cache \(\d+\)")]
    private static partial Regex CacheSpans();

    [GeneratedRegex(@"platform \(\d+\)")]
    private static partial Regex DatabaseSpans();
}
