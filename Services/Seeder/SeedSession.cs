using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data;
using Platform.Data.Catalogue;
using Platform.Data.Connections;
using Platform.Data.Leases;
using Platform.Seeder.Generation;
using Platform.Seeder.Progress;

namespace Platform.Seeder;

/// <summary>What the commands do, against one database.</summary>
internal sealed class SeedSession(
    PlatformDatabase database,
    DatabaseStartup startup,
    ILeaseStore leases,
    IHostEnvironment environment,
    IOptions<SeederOptions> options,
    TimeProvider time,
    ILogger<SeedSession> logger)
{
    private const string LeaseName = "seeder";

    private IMongoCollection<SeedMarker> Markers => database.Database.GetCollection<SeedMarker>(CollectionNames.SeedMarker);

    public Task WaitForDatabaseAsync(CancellationToken cancellationToken) => startup.WaitAsync(options.Value.DatabaseTimeout, cancellationToken);

    /// <summary>Seeds; does nothing when the same data is there already, so that what users changed in it stays.</summary>
    public async Task SeedAsync(SeedSize size, bool force, bool again, ISeedProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        RefuseProduction(force);
        await RequireStructureAsync(cancellationToken);
        await AloneAsync(
            async (fence, token) =>
            {
                var marker = await ReadMarkerAsync(token);
                if (!again && marker is not null && IsSame(marker, size) && await IsStillThereAsync(size, token))
                {
                    SeedLog.AlreadySeeded(logger, marker.Hash);
                    await output.WriteLineAsync($"Already seeded: {Format(marker.Documents)} documents, hash {marker.Hash}.");
                    return;
                }

                var started = time.GetTimestamp();
                var begun = new SeedMarker
                {
                    DataVersion = SeedSize.DataVersion,
                    Seed = size.Seed,
                    Tenants = size.Tenants,
                    Scale = size.Scale,
                    Complete = false,
                    Fence = fence,
                    StartedAt = time.GetUtcNow().UtcDateTime,
                };
                await WriteMarkerAsync(begun, token);

                // Also what an interrupted run left, or one of another size.
                await DeleteSeededAsync(token);
                await RefuseTakenSlugsAsync(size, token);

                var writer = new SeedWriter(database.Database, options.Value.BatchSize, options.Value.Writers);
                long documents = 0;
                var hash = "";
                await progress.RunAsync(async () => (documents, hash) = await writer.WriteAsync(size, progress, token));
                await WriteMarkerAsync(
                    begun with { Complete = true, Documents = documents, Hash = hash, CompletedAt = time.GetUtcNow().UtcDateTime }, token);

                var elapsed = time.GetElapsedTime(started);
                SeedLog.Seeded(logger, documents, hash, elapsed.TotalMilliseconds);
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture, $"Seeded {documents:N0} documents in {elapsed.TotalSeconds:0.0} s, hash {hash}."));
            },
            cancellationToken);
    }

    /// <summary>Removes exactly what was seeded.</summary>
    public async Task CleanAsync(bool force, TextWriter output, CancellationToken cancellationToken)
    {
        RefuseProduction(force);
        await AloneAsync(
            async (_, token) =>
            {
                var deleted = await DeleteSeededAsync(token);
                await Markers.DeleteOneAsync(marker => marker.Id == SeedMarker.OnlyId, token);
                SeedLog.Cleaned(logger, deleted);
                await output.WriteLineAsync($"Removed {Format(deleted)} seeded documents.");
            },
            cancellationToken);
    }

    /// <summary>Counts what is there of the seeded data.</summary>
    public async Task<SeedStatus> StatusAsync(CancellationToken cancellationToken)
    {
        var marker = await ReadMarkerAsync(cancellationToken);
        var counts = new Dictionary<string, long>();
        foreach (var part in SeedCollection.All(new SeedSize()))
        {
            counts[part.Name] = await Collection(part).CountDocumentsAsync(InRange(part.Kind), cancellationToken: cancellationToken);
        }

        return new SeedStatus(marker, counts, counts.Values.Sum());
    }

    private static string Format(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static FilterDefinition<BsonDocument> InRange(SeedKind kind)
    {
        var (first, last) = SeedId.Range(kind);
        return Builders<BsonDocument>.Filter.Gte("_id", first) & Builders<BsonDocument>.Filter.Lte("_id", last);
    }

    private static bool IsSame(SeedMarker marker, SeedSize size) =>
        marker is { Complete: true, DataVersion: SeedSize.DataVersion }
        && marker.Seed == size.Seed && marker.Tenants == size.Tenants && marker.Scale == size.Scale;

    private IMongoCollection<BsonDocument> Collection(SeedCollection part) => database.Database.GetCollection<BsonDocument>(part.Name);

    private async Task<SeedMarker?> ReadMarkerAsync(CancellationToken cancellationToken) =>
        await Markers.Find(marker => marker.Id == SeedMarker.OnlyId).FirstOrDefaultAsync(cancellationToken);

    private Task<ReplaceOneResult> WriteMarkerAsync(SeedMarker marker, CancellationToken cancellationToken) =>
        Markers.ReplaceOneAsync(existing => existing.Id == SeedMarker.OnlyId, marker, new ReplaceOptions { IsUpsert = true }, cancellationToken);

    private void RefuseProduction(bool force)
    {
        // A variable that is set to nothing hides the default, which is Production.
        if ((environment.IsProduction() || string.IsNullOrWhiteSpace(environment.EnvironmentName)) && !force)
        {
            throw new SeedRefusedException("The environment is Production, where made-up data does not belong; set DOTNET_ENVIRONMENT=Development, or give --force.");
        }
    }

    private async Task RequireStructureAsync(CancellationToken cancellationToken)
    {
        using var cursor = await database.Database.ListCollectionNamesAsync(cancellationToken: cancellationToken);
        var existing = await cursor.ToListAsync(cancellationToken);
        var missing = CollectionCatalogue.All.Select(collection => collection.Name).Except(existing).FirstOrDefault();
        if (missing is not null)
        {
            throw new SeedRefusedException($"The database has no collection '{missing}'; run the migrator first.");
        }
    }

    // A marker alone proves little: somebody may have emptied a collection since.
    private async Task<bool> IsStillThereAsync(SeedSize size, CancellationToken cancellationToken)
    {
        foreach (var part in SeedCollection.All(size))
        {
            if (!await Collection(part).Find(InRange(part.Kind)).Limit(1).AnyAsync(cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    private async Task RefuseTakenSlugsAsync(SeedSize size, CancellationToken cancellationToken)
    {
        var slugs = new SeedGenerator(size).Tenants().Select(tenant => tenant.Slug);
        var taken = await database.Tenants.Find(Builders<Data.Documents.Tenant>.Filter.In(tenant => tenant.Slug, slugs)).FirstOrDefaultAsync(cancellationToken);
        if (taken is not null)
        {
            throw new SeedRefusedException($"A tenant that was not seeded has the name '{taken.Slug}' already; rename or remove it.");
        }
    }

    private async Task<long> DeleteSeededAsync(CancellationToken cancellationToken)
    {
        long deleted = 0;
        foreach (var part in SeedCollection.All(new SeedSize()).Reverse())
        {
            deleted += (await Collection(part).DeleteManyAsync(InRange(part.Kind), cancellationToken)).DeletedCount;
        }

        return deleted;
    }

    private async Task AloneAsync(Func<long, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        await using var lease = await Lease.AcquireAsync(leases, LeaseName, new LeaseOptions(), time, logger, cancellationToken: cancellationToken);
        await lease.RunAsync(
            async token =>
            {
                await work(lease.Fence, token);
                return true;
            },
            cancellationToken);
    }
}
