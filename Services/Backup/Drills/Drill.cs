using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Restoring;
using Platform.Backup.Work;
using Platform.Data.Catalogue;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;

namespace Platform.Backup.Drills;

/// <summary>Restores the database as it is now, and compares the copy with what was taken down of it at that moment.</summary>
internal sealed class Drill(IBackupEngine engine, RestoreWork restoring, IOptions<BackupOptions> options, TimeProvider time) : IDrill
{
    /// <inheritdoc />
    public Task<DrillRecord> RunAsync(CancellationToken cancellationToken) => RunAsync(null, cancellationToken);

    /// <summary>The same, with something that happens to the copy before it is compared: so a test sees that a drill can fail.</summary>
    internal async Task<DrillRecord> RunAsync(Func<RestoredCopy, Task>? opened, CancellationToken cancellationToken)
    {
        var (began, started) = (time.GetUtcNow(), Stopwatch.GetTimestamp());
        var (checks, findings) = (new List<string>(), new List<Finding>());
        DateTimeOffset? moment = null;
        double? restored = null;
        DrillComparison? comparison = null;
        try
        {
            var marker = await engine.MarkerAsync(cancellationToken);
            moment = marker.Moment;
            checks.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"The running database had {marker.Before.Documents} documents in {marker.Before.Collections.Count} collections before the moment was "
                    + $"taken, and {marker.After.Documents} after."));
            var (copy, took) = await restoring.OpenAsync(new RestoreTarget(null, moment), cancellationToken);
            restored = Math.Round(took.TotalSeconds, 1);
            await using (copy)
            {
                await (opened?.Invoke(copy) ?? Task.CompletedTask);
                comparison = DrillComparison.Of(marker, await engine.ContentsAsync(copy.PostgresConnectionString, cancellationToken));
                findings.AddRange(comparison.Findings);
                checks.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{comparison.Collections} collections, with their options and validators, {comparison.Indexes} indexes, and {comparison.Accounts} "
                        + $"users and roles were compared."));
                checks.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{comparison.Compared} of {comparison.Documents} documents were compared, by their hashes"
                        + $"{(comparison.Compared < comparison.Documents ? "; the others lie next to some that were written to in that instant" : "")}."));
                checks.Add(await LogInAsync(copy, marker, findings, cancellationToken));
            }

            if (Directory.Exists(copy.Data))
            {
                findings.Add(new Finding(copy.Data, "was not removed"));
            }
        }
        catch (Exception e) when (e is (BackupException and not { ExitCode: ExitCodes.Busy or ExitCodes.Unavailable }) or NpgsqlException or MongoException
            or TimeoutException or IOException)
        {
            findings.Add(new Finding("the drill", $"ended early: {e.Message.ReplaceLineEndings(" ")}"));
        }

        var record = new DrillRecord(
            began, moment, restored, Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 1), comparison?.Documents ?? 0, comparison?.Compared ?? 0,
            checks, findings);
        record.Write(options.Value.Directory, DrillPage.Of(record));
        return record;
    }

    /// <summary>Reads an order as the API does: as its user, and as its type of document.</summary>
    private async Task<string> LogInAsync(RestoredCopy copy, DatabaseMarker marker, List<Finding> findings, CancellationToken cancellationToken)
    {
        var name = ResourceNames.Database;
        var user = MongoNames.UserOf(name, ResourceNames.Api);
        var orders = $"{name}.{CollectionNames.Orders}";
        if (options.Value.ApiPassword is not { Length: > 0 } password)
        {
            return "No login was tried: Backup:ApiPassword is not set.";
        }

        if (!marker.Before.Accounts.ContainsKey($"user {user}"))
        {
            return $"No login was tried: there is no user {user}.";
        }

        var address = new MongoUrlBuilder(copy.ConnectionString) { Username = user, Password = password };
        var settings = MongoClientSettings.FromUrl(address.ToMongoUrl());
        settings.LogInBy(options.Value.ApiPasswordFile);
        using var client = new MongoClient(settings);
        try
        {
            var order = await new PlatformDatabase(client.GetDatabase(name)).Collection(CollectionCatalogue.Orders)
                .Find(FilterDefinition<Data.Documents.Order>.Empty).Limit(1).FirstOrDefaultAsync(cancellationToken);
            if (order is null && marker.Before.Collections.TryGetValue(orders, out var then) && then.Documents > 0)
            {
                findings.Add(new Finding(orders, $"has no document that {user} can read"));
            }

            return order is null ? $"{user} logged in; there is no order to read." : $"{user} logged in and read the order {order.Number}.";
        }
        catch (Exception e) when (e is MongoException or TimeoutException or BsonException or FormatException)
        {
            findings.Add(new Finding(orders, $"could not be read as {user}: {e.Message.ReplaceLineEndings(" ")}"));
            return $"{user} could not log in, or read an order.";
        }
    }
}
