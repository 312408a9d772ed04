using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Documents;
using Platform.Data.Tenancy;
using Platform.Jobs;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;
using Platform.Seeder.Generation;
using Platform.Seeder.Progress;
using Platform.Seeder.Storage;
using Platform.Seeder.Verification;

namespace Platform.Seeder.Commands;

/// <summary>What the commands do, against one database.</summary>
internal sealed class SeedSession(
    PlatformDatabase database,
    DatabaseStartup startup,
    SeedGuard guard,
    ILeaseStore leases,
    IOptions<SeederOptions> options,
    TimeProvider time,
    ILogger<SeedSession> logger)
{
    private const string LeaseName = "seeder";

    private IMongoCollection<SeedMarker> Markers => database.Database.GetCollection<SeedMarker>(CollectionNames.SeedMarker).ForDecisions();

    public Task WaitForDatabaseAsync(CancellationToken cancellationToken) => startup.WaitAsync(options.Value.DatabaseTimeout, cancellationToken);

    /// <summary>Seeds what is not there already, so that what users changed in it stays.</summary>
    /// <param name="size">What to seed; when something else was seeded before, that is removed.</param>
    /// <param name="only">Which collections, with those that they refer to; none for all.</param>
    /// <param name="again">Whether to write also what is there already.</param>
    /// <param name="deferIndexes">Whether to drop the text indexes of empty collections and build them at the end.</param>
    /// <param name="progress">Shows the writing.</param>
    /// <param name="output">Where the result goes.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task RunAsync(
        SeedSize size, IReadOnlyCollection<string> only, bool again, bool deferIndexes, ISeedProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        // Before anything is written, the lease included, and again when nobody else is at work any more.
        await Check.ReadCollectionsAsync(cancellationToken);
        await guard.RequireDevelopmentOrEmptyAsync(cancellationToken);
        await AloneAsync(
            output,
            async (fence, token) =>
            {
                if (await guard.MarkEmptyAsync(token))
                {
                    await output.WriteLineAsync($"The database '{DatabaseName}' is empty and is now marked as development.");
                }

                await guard.RequireDevelopmentAsync(token);
                await RunAloneAsync(size, only, again, deferIndexes, fence, progress, output, token);
            },
            cancellationToken);
    }

    /// <summary>Removes exactly what was seeded.</summary>
    /// <param name="slug">Whose documents; null for everybody's.</param>
    /// <param name="keepReferenced">Whether to leave what documents that were not seeded refer to.</param>
    /// <param name="progress">Shows the removal.</param>
    /// <param name="output">Where the result goes.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task CleanAsync(string? slug, bool keepReferenced, ISeedProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        await guard.RequireDevelopmentAsync(cancellationToken);
        await AloneAsync(
            output,
            async (fence, token) =>
            {
                await guard.RequireDevelopmentAsync(token);
                var marker = await ReadMarkerAsync(token) is { } found ? found with { Fence = fence } : null;
                var tenant = slug is null ? (ObjectId?)null : await FindTenantAsync(slug, marker, token);
                if (marker is not null)
                {
                    // What an interrupted removal leaves is not taken for seeded: the next run writes it anew.
                    await WriteMarkerAsync(
                        slug is null
                            ? marker with { Complete = false, Parts = [] }
                            : marker with { Complete = false, RemovedTenants = [.. marker.RemovedTenants.Append(slug).Distinct()] },
                        token);
                }

                var report = await Cleaner().CleanAsync(SeedCollection.All(new SeedSize()), tenant, keepReferenced, progress, token);
                if (marker is not null)
                {
                    await Indexes.BuildAsync(SeedCollection.All(new SeedSize()), marker.DeferredIndexes, output, token);
                    marker = marker with { DeferredIndexes = [] };
                }

                await RememberCleanedAsync(marker, slug, fence, token);
                SeedLog.Cleaned(logger, report.Removed);
                await output.WriteLineAsync($"Removed {Format(report.Removed)} seeded documents{(slug is null ? "" : $" of {slug}")}.");
                await TellReferringAsync(report, keepReferenced, output);
            },
            cancellationToken);
    }

    /// <summary>Counts what is there of the seeded data.</summary>
    public async Task<SeedStatus> StatusAsync(CancellationToken cancellationToken)
    {
        var marker = await ReadMarkerAsync(cancellationToken);
        var mark = await guard.ReadAsync(cancellationToken);
        var collections = new List<CollectionSeedStatus>();
        foreach (var part in SeedCollection.All(new SeedSize()))
        {
            var seeded = await Collection(part).CountDocumentsAsync(SeedKeys.All(part.Kind), cancellationToken: cancellationToken);
            var others = await Collection(part).CountDocumentsAsync(SeedKeys.Others(part.Kind), cancellationToken: cancellationToken);
            collections.Add(new CollectionSeedStatus(part.Name, seeded, Expected(marker, part.Name), others));
        }

        var state = marker is null ? collections.Exists(collection => collection.Seeded > 0) ? SeedState.Incomplete : SeedState.NotSeeded
            : marker.Complete && collections.TrueForAll(collection => collection.Seeded >= collection.Expected) ? SeedState.Seeded : SeedState.Incomplete;
        return new SeedStatus(DatabaseName, mark?.Name, state, marker, collections);
    }

    /// <summary>Compares the database with what was seeded.</summary>
    /// <exception cref="JobRefusedException">Nothing was seeded, or another version of this program seeded it.</exception>
    public async Task<VerifyReport> VerifyAsync(ISeedProgress progress, CancellationToken cancellationToken)
    {
        var marker = await ReadMarkerAsync(cancellationToken)
            ?? throw new JobRefusedException($"The database '{DatabaseName}' is not seeded; 'seeder run' seeds it.");
        var size = marker.Size()
            ?? throw new JobRefusedException($"The database '{DatabaseName}' was seeded by another version of this program; 'seeder run' seeds it anew.");
        var left = LeftOut(marker);
        var seeded = marker.Parts.Select(part => part.Collection).ToHashSet(StringComparer.Ordinal);
        var parts = SeedCollection.All(size).Where(part => seeded.Contains(part.Name)).ToList();
        var reports = await new SeedVerifier(database.Database, options.Value.Writers).VerifyAsync(parts, left, progress, cancellationToken);
        var expected = SeedHash.Combine(reports.Select(report => (report.Collection, report.ExpectedHash)));
        if (marker.RemovedTenants.Count == 0 && marker.Hash != expected)
        {
            throw new JobRefusedException($"This program makes other data from seed {size.Seed} than was written: its hash is {expected}, not {marker.Hash}; 'seeder run --again' writes it anew.");
        }

        return new VerifyReport(
            size.Seed, size.Scale, size.Tenants, marker.Until, marker.RemovedTenants, marker.Complete,
            SeedHash.Combine(reports.Select(report => (report.Collection, report.Hash))), expected, reports);
    }

    /// <summary>Marks the database.</summary>
    public async Task MarkAsync(string typedName, string name, TextWriter output, CancellationToken cancellationToken)
    {
        await guard.MarkAsync(typedName, name, cancellationToken);
        await output.WriteLineAsync($"The database '{DatabaseName}' is marked as {name}.");
    }

    private string DatabaseName => database.Database.DatabaseNamespace.DatabaseName;

    private static string Format(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static Func<int, bool> LeftOut(SeedMarker marker)
    {
        var numbers = marker.RemovedTenants.Select(slug => TenantProfile.Find(slug, marker.Tenants)).ToHashSet();
        return numbers.Contains;
    }

    private static long Expected(SeedMarker? marker, string collection)
    {
        var documents = marker?.Parts.FirstOrDefault(part => part.Collection == collection)?.Documents ?? 0;
        return marker is null || marker.Tenants == 0 ? 0 : documents / marker.Tenants * (marker.Tenants - marker.RemovedTenants.Count);
    }

    private SeedCheck Check => new(database.Database);

    private DeferredIndexes Indexes => new(database.Database, guard.RequireDevelopmentAsync);

    private SeedCleaner Cleaner() => new(database.Database, options.Value.Writers, guard.RequireDevelopmentAsync);

    private IMongoCollection<BsonDocument> Collection(SeedCollection part) => database.Database.GetCollection<BsonDocument>(part.Name);

    private async Task RunAloneAsync(
        SeedSize size, IReadOnlyCollection<string> only, bool again, bool deferIndexes, long fence, ISeedProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        var all = SeedCollection.All(size);
        var wanted = only.Count == 0 ? all : SeedCollection.WithReferenced(all, only);
        var before = await ReadMarkerAsync(cancellationToken);
        var plan = await PlanAsync(all, wanted, before, before?.Size() == size, again, cancellationToken);
        if (plan.Missing.Count == 0 && before is { Complete: true, DeferredIndexes.Count: 0, RemovedTenants.Count: 0 })
        {
            SeedLog.AlreadySeeded(logger, before.Hash);
            await output.WriteLineAsync($"Already seeded: {Format(before.Documents)} documents, hash {before.Hash}.");
            return;
        }

        // Whatever could stop the run stops it here, where nothing was removed yet.
        var started = time.GetTimestamp();
        var dangling = await Check.RequireAsync(plan.Missing, size, cancellationToken);
        var removes = await AnyAsync(plan.Stale, cancellationToken);
        var marker = new SeedMarker
        {
            DataVersion = SeedSize.DataVersion,
            Seed = size.Seed,
            Tenants = size.Tenants,
            Scale = size.Scale,
            Until = size.Until.ToString(SeedSize.DateFormat, CultureInfo.InvariantCulture),
            Complete = false,
            Removing = removes,
            Fence = fence,
            Parts = plan.Known,
            DeferredIndexes = before?.DeferredIndexes ?? [],
            StartedAt = time.GetUtcNow().UtcDateTime,
        };
        await WriteMarkerAsync(marker, cancellationToken);
        if (removes)
        {
            await Cleaner().CleanAsync(plan.Stale, tenant: null, keepReferenced: false, new NoProgress(), cancellationToken);
            marker = marker with { Removing = false };
            await WriteMarkerAsync(marker, cancellationToken);
        }

        marker = deferIndexes ? await DeferAsync(all, plan.Missing, marker, cancellationToken) : marker;
        (marker, var documents) = await WriteAsync(all, plan.Missing, marker, progress, cancellationToken);
        await Indexes.BuildAsync(all, marker.DeferredIndexes, output, cancellationToken);
        marker = marker with { Complete = true, DeferredIndexes = [], CompletedAt = time.GetUtcNow().UtcDateTime };
        await WriteMarkerAsync(marker, cancellationToken);
        await TellSeededAsync(marker, documents, time.GetElapsedTime(started), dangling, output);
        if (plan.Missing.Any(part => part.Kind == SeedKind.User))
        {
            await TellPasswordsAsync(size, output);
        }
    }

    // A marker alone proves little: documents may be gone since.
    private async Task<Plan> PlanAsync(
        IReadOnlyList<SeedCollection> all, IReadOnlyList<SeedCollection> wanted, SeedMarker? before, bool same, bool again, CancellationToken cancellationToken)
    {
        bool IsKnown(SeedCollection part) => same && before!.Parts.Any(known => known.Collection == part.Name);
        List<SeedCollection> stale = [.. all.Where(part => !same || (again && wanted.Contains(part)) || (before!.Removing && !IsKnown(part)))];
        List<SeedCollection> missing = [];
        // Tenants that were removed come back in all collections.
        foreach (var part in all.Where(part => wanted.Contains(part) || (before is { RemovedTenants.Count: > 0 } && IsKnown(part))))
        {
            if (stale.Contains(part) || !IsKnown(part) || await Collection(part).CountDocumentsAsync(SeedKeys.All(part.Kind), cancellationToken: cancellationToken) < part.Count)
            {
                missing.Add(part);
            }
        }

        return new Plan(stale, missing, same ? [.. before!.Parts.Where(part => stale.TrueForAll(other => other.Name != part.Collection))] : []);
    }

    private async Task<SeedMarker> DeferAsync(
        IReadOnlyList<SeedCollection> all, IReadOnlyList<SeedCollection> missing, SeedMarker marker, CancellationToken cancellationToken)
    {
        var deferred = await Indexes.FindAsync(missing, cancellationToken);
        marker = marker with { DeferredIndexes = [.. marker.DeferredIndexes.Union(deferred)] };
        await WriteMarkerAsync(marker, cancellationToken);
        await Indexes.DropAsync(all, deferred, cancellationToken);
        return marker;
    }

    private async Task<(SeedMarker Marker, long Documents)> WriteAsync(
        IReadOnlyList<SeedCollection> all, IReadOnlyList<SeedCollection> missing, SeedMarker marker, ISeedProgress progress, CancellationToken cancellationToken)
    {
        var begun = new List<SeedCollection>();
        foreach (var part in missing)
        {
            if (await AnyAsync([part], cancellationToken))
            {
                begun.Add(part);
            }
        }

        long documents = 0;
        await progress.RunAsync(async () => documents = await Writer().WriteAsync(
            missing,
            begun,
            progress,
            async (part, token) =>
            {
                marker = marker with { Parts = [.. all.SelectMany(known => marker.Parts.Where(other => other.Collection != part.Collection).Append(part).Where(other => other.Collection == known.Name))] };
                await WriteMarkerAsync(marker, token);
            },
            cancellationToken));
        return (marker, documents);
    }

    private async Task TellSeededAsync(SeedMarker marker, long documents, TimeSpan elapsed, IReadOnlyDictionary<string, long> dangling, TextWriter output)
    {
        SeedLog.Seeded(logger, documents, marker.Hash, elapsed.TotalMilliseconds);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"Seeded {documents:N0} documents in {elapsed.TotalSeconds:0.00} s ({documents / elapsed.TotalSeconds:N0}/s)."));
        await output.WriteLineAsync($"Hash {marker.Hash}");
        if (dangling.Count > 0)
        {
            var who = string.Join(", ", dangling.Select(referring => $"{referring.Key} {Format(referring.Value)}"));
            await output.WriteLineAsync($"Documents of others refer to seeded ones that there are not with these settings ({who}).");
        }
    }

    private SeedWriter Writer() => new(database.Database, SeedWriter.DefaultPieceSize, options.Value.Writers, guard.RequireDevelopmentAsync);

    private async Task<bool> AnyAsync(IEnumerable<SeedCollection> parts, CancellationToken cancellationToken)
    {
        foreach (var part in parts)
        {
            if (await Collection(part).Find(SeedKeys.All(part.Kind)).Limit(1).AnyAsync(cancellationToken))
            {
                return true;
            }
        }

        return false;
    }

    private static async Task TellPasswordsAsync(SeedSize size, TextWriter output)
    {
        await output.WriteLineAsync($"Users of {TenantProfile.For(0).Slug} and their passwords, which those of other tenants have too:");
        foreach (var role in Enum.GetValues<UserRole>())
        {
            var name = DocumentConventions.Stored(role).ToLowerInvariant() + "@" + TenantProfile.For(0).Slug + ".example";
            await output.WriteLineAsync($"  {name,-34} {DevelopmentPasswords.For(size.Seed, role)}");
        }

        await output.WriteLineAsync("They are for development and are not shown again; 'seeder run --again' writes everything anew and shows them.");
    }

    private static async Task TellReferringAsync(CleanReport report, bool keepReferenced, TextWriter output)
    {
        if (report.Referring.Count == 0)
        {
            return;
        }

        var who = string.Join(", ", report.Referring.Select(referring => $"{referring.Key} {Format(referring.Value)}"));
        await output.WriteLineAsync(keepReferenced
            ? $"Kept {Format(report.Kept)} seeded documents that documents of others refer to ({who})."
            : $"Documents of others stay that referred to seeded ones ({who}): what they refer to is there again when the same is seeded again; --keep-referenced would have kept it.");
    }

    private async Task RememberCleanedAsync(SeedMarker? marker, string? slug, long fence, CancellationToken cancellationToken)
    {
        if (marker is null || slug is null || marker.RemovedTenants.Append(slug).Distinct().Count() == marker.Tenants)
        {
            Lease.RequireHeld();
            await Markers.DeleteOneAsync(existing => existing.Id == SeedMarker.OnlyId && existing.Fence <= fence, cancellationToken);
            return;
        }

        await WriteMarkerAsync(marker with { RemovedTenants = [.. marker.RemovedTenants.Append(slug).Distinct()] }, cancellationToken);
    }

    private async Task<ObjectId> FindTenantAsync(string slug, SeedMarker? marker, CancellationToken cancellationToken)
    {
        var (first, last) = SeedId.Range(SeedKind.Tenant);
        if (await database.Tenants.Find(tenant => tenant.Slug == slug && tenant.Id >= first && tenant.Id <= last).FirstOrDefaultAsync(cancellationToken) is { } found)
        {
            return found.Id;
        }

        // An interrupted removal took the tenant itself last, or just not yet what refers to it.
        var tenants = marker?.Tenants ?? 0;
        var number = TenantProfile.Find(slug, tenants);
        if (number >= 0)
        {
            return SeedGenerator.TenantId(number);
        }

        var there = await database.Tenants.Find(tenant => tenant.Id >= first && tenant.Id <= last).Limit(10).ToListAsync(cancellationToken);
        throw new JobUsageException(there.Count == 0
            ? $"There is no seeded tenant '{slug}': nothing is seeded."
            : $"There is no seeded tenant '{slug}'; there are {string.Join(", ", there.Select(tenant => tenant.Slug))}{(tenants > there.Count ? " and others" : "")}.");
    }

    private async Task<SeedMarker?> ReadMarkerAsync(CancellationToken cancellationToken) =>
        await Markers.Find(marker => marker.Id == SeedMarker.OnlyId).FirstOrDefaultAsync(cancellationToken);

    // A seeder that lost its lease and does not know yet has a smaller fencing number than its successor.
    private async Task WriteMarkerAsync(SeedMarker marker, CancellationToken cancellationToken)
    {
        Lease.RequireHeld();
        if (await ReplaceAsync())
        {
            return;
        }

        try
        {
            await Markers.InsertOneAsync(marker, options: null, cancellationToken);
        }
        catch (MongoWriteException exception) when (exception.WriteError?.Category == ServerErrorCategory.DuplicateKey)
        {
            // The insert may have been a repeated one of our own.
            if (!await ReplaceAsync())
            {
                throw new LeaseLostException(LeaseName, exception);
            }
        }

        async Task<bool> ReplaceAsync()
        {
            var result = await Markers.ReplaceOneAsync(
                existing => existing.Id == SeedMarker.OnlyId && existing.Fence <= marker.Fence, marker, new ReplaceOptions(), cancellationToken);
            return result.MatchedCount == 1;
        }
    }

    private async Task AloneAsync(TextWriter output, Func<long, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        await using var lease = await Lease.AcquireAsync(
            leases, LeaseName, new LeaseOptions(), time, logger,
            state => output.WriteLine($"Waiting for another seeder ({state.Holder})."), cancellationToken);
        await lease.RunAsync(
            async token =>
            {
                await work(lease.Fence, token);
                return true;
            },
            cancellationToken);
    }

    /// <summary>What a run is to do.</summary>
    /// <param name="Stale">Collections whose seeded documents are removed first.</param>
    /// <param name="Missing">Collections that are written, or lack documents.</param>
    /// <param name="Known">What is recorded of collections that were complete and stay.</param>
    private sealed record Plan(IReadOnlyList<SeedCollection> Stale, IReadOnlyList<SeedCollection> Missing, IReadOnlyList<SeedPart> Known);
}
