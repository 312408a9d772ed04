using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using MongoDB.Driver;

namespace Platform.Api.Migrations;

/// <summary>
/// Whether the database has the migrations that the API was built with. Unhealthy while one is pending or half-done, so that no request comes to a program
/// whose database is older than itself, and when a newer program has made the database one that this cannot work with. A history that is merely newer is
/// fine: that is every deployment's state between its migrations and its programs.
/// </summary>
/// <remarks>What cannot be read is degraded: that the database is away, its own check says.</remarks>
internal sealed class MigrationHealthCheck(IRecordedMigrations history, IOptions<MigrationCheckOptions> options, TimeProvider time) : IHealthCheck
{
    /// <summary>The name under which it is registered.</summary>
    public const string Name = "migrations";

    private volatile Fine? _fine;

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!options.Value.Enabled)
        {
            return HealthCheckResult.Healthy($"Not looked at: {MigrationCheckOptions.Section}:{nameof(MigrationCheckOptions.Enabled)} is false.");
        }

        if (_fine is { } fine && time.GetElapsedTime(fine.Since) < options.Value.CacheDuration)
        {
            return HealthCheckResult.Healthy(fine.Sentence);
        }

        IReadOnlyList<RecordedMigration> recorded;
        try
        {
            recorded = await history.ReadAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            return HealthCheckResult.Degraded($"The history of migrations could not be read: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }

        var (isReady, sentence) = Judge(KnownMigrations.All, recorded);
        _fine = isReady ? new Fine(time.GetTimestamp(), sentence) : null;
        return isReady ? HealthCheckResult.Healthy(sentence) : HealthCheckResult.Unhealthy(sentence);
    }

    /// <summary>Whether a program can work with a database, and why.</summary>
    /// <param name="known">The migrations that the program was built with, in order.</param>
    /// <param name="recorded">What the database's history has.</param>
    internal static (bool IsReady, string Sentence) Judge(IReadOnlyList<string> known, IReadOnlyList<RecordedMigration> recorded)
    {
        var states = recorded.ToDictionary(migration => migration.Id, StringComparer.Ordinal);
        var missing = known.Where(id => states.GetValueOrDefault(id) is not { IsApplied: true }).ToList();
        if (missing.Count > 0)
        {
            var halfDone = missing.Find(id => states.GetValueOrDefault(id) is { State: "running" or "failed" });
            var how = halfDone is null ? ""
                : states[halfDone].State == "failed" ? $" ({halfDone} is half-done: it failed)"
                : $" ({halfDone} is under way, or was interrupted)";
            return (false, $"Pending migrations: {string.Join(", ", missing)}{how}; run 'migrator up'.");
        }

        var newer = recorded.Where(migration => migration.State != "pending" && !known.Contains(migration.Id)).ToList();
        return newer.Find(migration => migration.IsBreaking) is { } breaking
            ? (false, $"The database has the migration {breaking.Id}, with which programs that do not know it cannot work; use a newer API.")
            : (true, newer.Count == 0 ? $"The database has all {known.Count} migrations." : $"The database is newer: it has {newer[^1].Id}, too.");
    }

    private sealed record Fine(long Since, string Sentence);
}
