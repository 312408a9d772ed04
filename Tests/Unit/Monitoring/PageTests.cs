using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.Monitor.Page;
using Platform.Monitor.Queries;
using Platform.Monitor.Settings;
using Platform.Monitor.Watchers;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

/// <summary>The monitor's page where Prometheus and Alertmanager do not answer: who is let in, and what it says then.</summary>
public sealed partial class PageTests : IAsyncLifetime
{
    private const string Password = "a password of a test";

    private WebApplication? _app;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _app = Build(Password);
        await _app.StartAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    [Fact]
    public async Task Nothing_is_answered_without_the_login()
    {
        var paths = _app!.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(method => (method, endpoint.RoutePattern.RawText!)))
            .ToList();
        Assert.True(paths.Count >= 12, $"{paths.Count} endpoints");
        foreach (var (method, pattern) in paths)
        {
            var path = pattern.Replace("{id:guid}", Guid.NewGuid().ToString(), StringComparison.Ordinal).Replace("{id}", "api", StringComparison.Ordinal);
            foreach (var login in (string?[])
                [null, "Basic !", "Basic " + Base64("platform:wrong"), "Basic " + Base64($"root:{Password}"), $"Bearer {Password}"])
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                request.Headers.Add(PageLogin.ChangeHeader, "1");
                if (login is not null)
                {
                    request.Headers.TryAddWithoutValidation("Authorization", login);
                }

                using var answer = await _app.GetTestClient().SendAsync(request, Cancel);
                Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{method} {path} with {login}: {answer.StatusCode}");
                Assert.Equal("Basic", Assert.Single(answer.Headers.WwwAuthenticate).Scheme);
            }
        }
    }

    [Fact]
    public async Task The_page_loads_nothing_but_its_own_files()
    {
        using var page = await AskAsync(HttpMethod.Get, "/");
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        var html = await page.Content.ReadAsStringAsync(Cancel);
        var links = Links().Matches(html).Select(match => match.Groups[1].Value).Where(link => !link.StartsWith('#') && link != "data:,").ToList();
        Assert.Equal(4, links.Count);
        foreach (var link in links)
        {
            Assert.StartsWith("/assets/", link, StringComparison.Ordinal);
            using var asset = await AskAsync(HttpMethod.Get, link);
            Assert.Equal(HttpStatusCode.OK, asset.StatusCode);
            Assert.True((await asset.Content.ReadAsByteArrayAsync(Cancel)).Length > 1000);
            using var again = await AskAsync(HttpMethod.Get, link, request => request.Headers.IfNoneMatch.Add(asset.Headers.ETag!));
            Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        }
    }

    [Fact]
    public async Task What_nobody_knows_is_not_said_to_be_well()
    {
        using var answer = await AskAsync(HttpMethod.Get, "/data/overview");
        var overview = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal("blind", overview.GetProperty("state").GetString());
        Assert.Equal("Nobody knows", overview.GetProperty("headline").GetString());
        using var section = await AskAsync(HttpMethod.Get, "/data/sections/mongo?range=1h");
        Assert.Equal(HttpStatusCode.BadGateway, section.StatusCode);
        Assert.Equal("Prometheus does not answer.", (await section.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("title").GetString());
    }

    [Theory]
    [InlineData("/data/sections/other", HttpStatusCode.NotFound)]
    [InlineData("/data/sections/mongo?range=2h", HttpStatusCode.BadRequest)]
    [InlineData("/data/queries/shapes/00000000", HttpStatusCode.NotFound)]
    [InlineData("/data/queries?most=many", HttpStatusCode.BadRequest)]
    [InlineData("/data/queries?most=-5", HttpStatusCode.OK)]
    [InlineData("/assets/other.js", HttpStatusCode.NotFound)]
    public async Task What_is_not_there_is_not_found_and_what_is_wrong_is_refused(string path, HttpStatusCode status)
    {
        using var answer = await AskAsync(HttpMethod.Get, path);
        Assert.Equal(status, answer.StatusCode);
    }

    [Theory]
    [InlineData("""{ "alert": "MongoMemberDown", "hours": 2 }""", HttpStatusCode.BadGateway)] // Alertmanager does not answer
    [InlineData("""{ "hours": 2 }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "alert": "a=b", "hours": 2 }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "alert": "MongoMemberDown", "hours": 0 }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "alert": "MongoMemberDown", "hours": 1e300 }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "alert": "MongoMemberDown", "hours": 2, "labels": { "1": "x" } }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "alert": "MongoMemberDown", "hours": 2, "labels": { "member": "" } }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "alert": "MongoMemberDown", "hours": 2, "labels": { "a=b": "x" } }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "alert": "MongoMemberDown", "hours": 2, "labels": { "member": "~odd" } }""", HttpStatusCode.BadGateway)]
    [InlineData("""{ "alert": "MongoMemberDown", "hours": 2, "labels": { "member": null } }""", HttpStatusCode.BadRequest)]
    [InlineData("{", HttpStatusCode.BadRequest)]
    [InlineData("null", HttpStatusCode.BadRequest)]
    public async Task A_silence_is_asked_for_in_good_form_or_refused(string body, HttpStatusCode status)
    {
        using var answer = await AskAsync(HttpMethod.Post, "/data/silences", request =>
        {
            request.Headers.Add(PageLogin.ChangeHeader, "1");
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        });
        Assert.Equal(status, answer.StatusCode);
    }

    [Fact]
    public async Task What_changes_something_wants_the_header_that_pages_of_others_cannot_send()
    {
        using var post = await AskAsync(HttpMethod.Post, "/data/silences", request => request.Content = JsonContent.Create(new { alert = "A", hours = 1 }));
        Assert.Equal(HttpStatusCode.Forbidden, post.StatusCode);
        using var delete = await AskAsync(HttpMethod.Delete, $"/data/silences/{Guid.NewGuid()}");
        Assert.Equal(HttpStatusCode.Forbidden, delete.StatusCode);
    }

    [Fact]
    public async Task What_is_silenced_is_recorded_and_what_cannot_be_recorded_is_not_done()
    {
        using var audit = new AuditDirectories();
        var log = audit.Settings.Directory!;
        await using var app = Build(Password, ("Audit:Directory", log), ("Audit:KeyDirectory", audit.Settings.KeyDirectory!));
        await app.StartAsync(Cancel);
        using (var answer = await SilenceAsync(app))
        {
            Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode); // Alertmanager does not answer
        }

        var lines = audit.Text.Split('\n').Where(line => line.Contains("alertsSilence", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, lines.Count);
        Assert.Contains("\"state\":\"started\"", lines[0], StringComparison.Ordinal);
        Assert.Contains("alertname=MongoMemberDown", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"result\":502", lines[1], StringComparison.Ordinal);

        Directory.Delete(log, recursive: true);
        await File.WriteAllTextAsync(log, "in the way", Cancel);
        using var refused = await SilenceAsync(app);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        File.Delete(log);

        static Task<HttpResponseMessage> SilenceAsync(WebApplication app) => AskAsync(app, HttpMethod.Post, "/data/silences", request =>
        {
            request.Headers.Add(PageLogin.ChangeHeader, "1");
            request.Content = JsonContent.Create(new { alert = "MongoMemberDown", hours = 1 });
        });
    }

    [Fact]
    public async Task Without_a_password_there_is_no_page()
    {
        await using var app = Build("");
        await app.StartAsync(Cancel);
        using var answer = await app.GetTestClient().GetAsync(new Uri("/", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static WebApplication Build(string password, params IEnumerable<(string Key, string Value)> settings)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { EnvironmentName = Environments.Development });
        builder.WebHost.UseTestServer();
        builder.Services.AddRouting();
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            // Where nobody listens.
            ["Monitor:Prometheus"] = "http://127.0.0.1:9", ["Monitor:Alertmanager"] = "http://127.0.0.1:9", ["Monitor:PagePassword"] = password,
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value)));
        builder.Services.Configure<MonitorOptions>(builder.Configuration.GetSection(MonitorOptions.Section));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new MonitoringWatch(TimeSpan.FromMinutes(1), TimeProvider.System));
        builder.Services.AddSingleton<SlowQueryLog>();
        builder.Services.AddPage();
        builder.AddServiceDefaults();
        var app = builder.Build();
        app.UseHttpDefaults();
        app.MapPage();
        return app;
    }

    private Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, Action<HttpRequestMessage>? change = null) =>
        AskAsync(_app!, method, path, change);

    private static async Task<HttpResponseMessage> AskAsync(
        WebApplication app, HttpMethod method, string path, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Base64($"platform:{Password}"));
        change?.Invoke(request);
        return await app.GetTestClient().SendAsync(request, Cancel);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [GeneratedRegex("(?:href|src)=\"([^\"]*)\"")]
    private static partial Regex Links();
}
