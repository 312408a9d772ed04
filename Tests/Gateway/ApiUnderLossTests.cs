using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;
using Platform.Api.Problems;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>The real API while its database is not there yet, is killed, and comes back.</summary>
public sealed class ApiUnderLossTests(ApiUnderLossTests.Servers servers, ITestOutputHelper output) : IClassFixture<ApiUnderLossTests.Servers>
{
    private const int Callers = 8;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_api_waits_for_its_database_outlives_its_death_under_load_and_recovers()
    {
        await using var factory = new Factory(servers.ConnectionString);
        using var api = factory.CreateClient();
        try
        {
            // Not there yet: up, alive, not ready, and callers are told when to come again.
            await AssertAwayAsync(api, "The database is not available.");

            servers.StartGateway();
            await LoseUnderLoadAsync(
                api,
                servers.KillGatewayAsync,
                () =>
                {
                    servers.StartGateway();
                    return Task.CompletedTask;
                });
        }
        finally
        {
            await servers.KillGatewayAsync();
        }
    }

    [Fact]
    public async Task The_api_outlives_the_death_of_the_engine_behind_its_database_under_load_and_recovers()
    {
        servers.StartGateway();
        try
        {
            await using var factory = new Factory(servers.ConnectionString);
            using var api = factory.CreateClient();
            await LoseUnderLoadAsync(api, servers.KillPostgresAsync, servers.StartPostgresAsync);
        }
        finally
        {
            await servers.KillGatewayAsync();
        }
    }

    private async Task LoseUnderLoadAsync(HttpClient api, Func<Task> lose, Func<Task> restore)
    {
        await UntilAsync(api, "/health", HttpStatusCode.OK);
        await UntilAsync(api, "/tenants", HttpStatusCode.OK);

        var answers = new ConcurrentBag<(HttpStatusCode Status, bool RetryAfter)>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var load = Enumerable.Range(0, Callers).Select(_ => LoadAsync(api, answers, stop.Token)).ToArray();
        await Wait.UntilAsync(() => answers.Count > 50, "fifty requests are answered", Cancel);

        await lose();
        await UntilAsync(api, "/health", HttpStatusCode.ServiceUnavailable);
        await Wait.UntilAsync(() => answers.Any(answer => answer.Status == HttpStatusCode.ServiceUnavailable), "a request is answered with 503", Cancel);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/alive", Cancel)).StatusCode);

        await restore();
        await UntilAsync(api, "/health", HttpStatusCode.OK);
        await UntilAsync(api, "/tenants", HttpStatusCode.OK);
        var good = answers.Count(answer => answer.Status == HttpStatusCode.OK);
        await Wait.UntilAsync(
            () => answers.Count(answer => answer.Status == HttpStatusCode.OK) > good + 50, "fifty requests more are answered with 200", Cancel);
        await stop.CancelAsync();
        await Task.WhenAll(load);

        // 200 and 503 and nothing else, and every 503 says when to come again.
        var failed = answers.Count(answer => answer.Status == HttpStatusCode.ServiceUnavailable);
        output.WriteLine($"{answers.Count} requests, {failed} answered 503, {answers.Count - failed} answered 200.");
        Assert.All(answers, answer => Assert.True(
            answer.Status == HttpStatusCode.OK || answer is { Status: HttpStatusCode.ServiceUnavailable, RetryAfter: true }, answer.ToString()));
    }

    private static async Task LoadAsync(HttpClient api, ConcurrentBag<(HttpStatusCode Status, bool RetryAfter)> answers, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            using var answer = await api.GetAsync("/tenants", Cancel);
            answers.Add((answer.StatusCode, answer.Headers.RetryAfter is not null));
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                // A caller with manners; the whole time that is asked for would only make the test long.
                await Task.Delay(TimeSpan.FromMilliseconds(100), Cancel);
            }
        }
    }

    private static async Task AssertAwayAsync(HttpClient api, string title)
    {
        using var answer = await api.GetAsync("/tenants", Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter?.Delta);
        Assert.Contains(title, await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.GetAsync("/health", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/alive", Cancel)).StatusCode);
    }

    private static Task UntilAsync(HttpClient api, string path, HttpStatusCode wanted) => Wait.UntilAsync(
        async () =>
        {
            using var answer = await api.GetAsync(path, Cancel);
            return answer.StatusCode == wanted;
        },
        $"{path} is answered with {wanted}",
        Cancel);

    private sealed class Factory(string connectionString) : WebApplicationFactory<RequestErrors>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Production");
            builder.UseSetting("ConnectionStrings:platform", connectionString);
            // Nothing listens there: without its cache the API works too.
            builder.UseSetting("ConnectionStrings:cache", "127.0.0.1:9");
            builder.UseSetting("Api:Authentication:Mode", "Gateway");
            builder.UseSetting("Paging:CursorKey", "the key of the tests, which is long enough");
            builder.UseSetting("Health:CacheDuration", "00:00:00");
            // Its database is made without a history.
            builder.UseSetting("MigrationCheck:Enabled", "false");
            foreach (var (key, value) in NoRateLimits.Settings)
            {
                builder.UseSetting(key, value);
            }

            builder.ConfigureLogging(logging => logging.ClearProviders());
        }
    }

    /// <summary>A PostgreSQL, and the gateway before it as a process that can be killed and started again on the same port.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        private const string Password = "kill me";

        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("gateway-loss-");
        private readonly int _port = FreePort.Find();
        private PostgresProcess? _postgres;
        private GatewayProcess? _gateway;

        public string ConnectionString =>
            $"mongodb://{GatewayFixture.User}:{Uri.EscapeDataString(Password)}@127.0.0.1:{_port}/platform"
            + "?authSource=admin&authMechanism=SCRAM-SHA-256&replicaSet=rs0";

        public async ValueTask InitializeAsync()
        {
            if (ServerImage.WhyUnavailable() is null)
            {
                await StartPostgresAsync();
            }
        }

        public void StartGateway()
        {
            var reason = ServerImage.WhyUnavailable();
            Assert.SkipWhen(reason is not null, reason ?? "");
            _gateway = GatewayProcess.Start(_postgres!.ConnectionString, _port, GatewayFixture.User, Password, []);
        }

        public async Task KillGatewayAsync()
        {
            if (_gateway is { } gateway)
            {
                _gateway = null;
                await gateway.DisposeAsync();
            }
        }

        public async Task StartPostgresAsync() => _postgres = await PostgresProcess.StartAsync(_directory, CancellationToken.None);

        public async Task KillPostgresAsync()
        {
            if (_postgres is { } postgres)
            {
                _postgres = null;
                await postgres.KillAsync();
                await postgres.DisposeAsync();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await KillGatewayAsync();
            if (_postgres is not null)
            {
                await _postgres.DisposeAsync();
            }

            _directory.Delete(recursive: true);
        }
    }
}
