using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Driver;
using NSubstitute;
using NSubstitute.ExceptionExtensions;
using Platform.Api.Migrations;
using Platform.Migrator.Execution;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class MigrationHealthCheckTests
{
    private static readonly string[] s_known = ["0001_a", "0002_b"];

    private readonly FakeTimeProvider _time = new();
    private readonly IRecordedMigrations _history = Substitute.For<IRecordedMigrations>();
    private readonly MigrationCheckOptions _options = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("0001_a applied,0002_b applied", true, "The database has all 2 migrations.")]
    [InlineData("", false, "Pending migrations: 0001_a, 0002_b; run 'migrator up'.")]
    [InlineData("0001_a applied", false, "Pending migrations: 0002_b; run 'migrator up'.")]
    [InlineData("0001_a applied,0002_b pending", false, "Pending migrations: 0002_b; run 'migrator up'.")]
    [InlineData("0001_a applied,0002_b failed", false, "Pending migrations: 0002_b (0002_b is half-done: it failed); run 'migrator up'.")]
    [InlineData("0001_a applied,0002_b running", false, "Pending migrations: 0002_b (0002_b is under way, or was interrupted); run 'migrator up'.")]
    [InlineData("0001_a applied,0002_b applied,0003_c applied", true, "The database is newer: it has 0003_c, too.")]
    [InlineData("0001_a applied,0002_b applied,0003_c running", true, "The database is newer: it has 0003_c, too.")]
    [InlineData("0001_a applied,0002_b applied,0003_c pending breaking", true, "The database has all 2 migrations.")]
    [InlineData(
        "0001_a applied,0002_b applied,0003_c applied breaking,0004_d applied", false,
        "The database has the migration 0003_c, with which programs that do not know it cannot work; use a newer API.")]
    public void It_is_ready_when_the_database_has_what_the_program_knows(string recorded, bool isReady, string sentence) => Assert.Equal(
        (isReady, sentence),
        MigrationHealthCheck.Judge(s_known, [.. recorded.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(migration => migration.Split(' '))
            .Select(words => new RecordedMigration(words[0], words[1], words.Contains("breaking")))]));

    [Fact]
    public void What_it_knows_is_what_the_migrator_ships() => Assert.Equal(
        MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly).Select(migration => migration.FullName), KnownMigrations.All);

    [Fact]
    public async Task A_good_answer_holds_for_a_while_and_a_bad_one_does_not()
    {
        var check = Check();
        _history.ReadAsync(Token).ReturnsForAnyArgs([]);
        Assert.Equal(HealthStatus.Unhealthy, await StatusAsync(check));
        Assert.Equal(HealthStatus.Unhealthy, await StatusAsync(check));
        await _history.Received(2).ReadAsync(Arg.Any<CancellationToken>());

        _history.ReadAsync(Token).ReturnsForAnyArgs(Applied());
        Assert.Equal(HealthStatus.Healthy, await StatusAsync(check));
        _history.ReadAsync(Token).ReturnsForAnyArgs([]);
        _time.Advance(_options.CacheDuration - TimeSpan.FromSeconds(1));
        Assert.Equal(HealthStatus.Healthy, await StatusAsync(check));
        await _history.Received(3).ReadAsync(Arg.Any<CancellationToken>());

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HealthStatus.Unhealthy, await StatusAsync(check));
    }

    [Fact]
    public async Task What_cannot_be_read_is_degraded_and_what_is_turned_off_is_not_read()
    {
        _history.ReadAsync(Token).ThrowsAsyncForAnyArgs(new MongoException("no"));
        Assert.Equal(HealthStatus.Degraded, await StatusAsync(Check()));

        _history.ClearReceivedCalls();
        _options.Enabled = false;
        Assert.Equal(HealthStatus.Healthy, await StatusAsync(Check()));
        await _history.DidNotReceiveWithAnyArgs().ReadAsync(Token);
    }

    [Theory]
    [InlineData("true", HttpStatusCode.ServiceUnavailable, "Unhealthy")]
    [InlineData("false", HttpStatusCode.OK, "Healthy")]
    public async Task Pending_migrations_are_told_by_the_readiness_probe_unless_it_is_turned_off(string enabled, HttpStatusCode status, string told)
    {
        await using var factory = new ApiFactory { Settings = { ["MigrationCheck:Enabled"] = enabled, ["Environment"] = "Development" } };
        factory.Migrations.ReadAsync(Token).ReturnsForAnyArgs(Applied().SkipLast(1).ToList());
        using var api = factory.CreateClient();

        using var answer = await api.GetAsync("/health", Token);

        Assert.Equal(status, answer.StatusCode);
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Token)).RootElement;
        Assert.Equal(told, body.GetProperty("checks").GetProperty("migrations").GetProperty("status").GetString());
        if (status == HttpStatusCode.ServiceUnavailable)
        {
            Assert.Equal(
                $"Pending migrations: {KnownMigrations.All[^1]}; run 'migrator up'.",
                body.GetProperty("checks").GetProperty("migrations").GetProperty("description").GetString());
        }

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/alive", Token)).StatusCode);
    }

    private MigrationHealthCheck Check() => new(_history, Options.Create(_options), _time);

    private static async Task<HealthStatus> StatusAsync(MigrationHealthCheck check) =>
        (await check.CheckHealthAsync(new HealthCheckContext(), Token)).Status;

    private static IReadOnlyList<RecordedMigration> Applied() =>
        [.. KnownMigrations.All.Select(id => new RecordedMigration(id, "applied", IsBreaking: false))];
}
