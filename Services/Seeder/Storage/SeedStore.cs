using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Storage;

/// <summary>A database that is seeded: its collections, what the seeder did to it last, and the lease that lets one seeder work at a time.</summary>
/// <param name="database">The database.</param>
/// <param name="leases">Where the lease is kept.</param>
/// <param name="time">The clock for waiting and for the heartbeat.</param>
/// <param name="logger">Where waiting and loss are logged.</param>
internal sealed class SeedStore(IMongoDatabase database, ILeaseStore leases, TimeProvider time, ILogger<SeedStore> logger)
{
    private const string LeaseName = "seeder";
    private const int Attempts = 5;

    private IMongoCollection<SeedMarker> Markers => database.GetCollection<SeedMarker>(CollectionNames.SeedMarker).ForDecisions();

    public IMongoDatabase Database => database;

    public string Name => database.DatabaseNamespace.DatabaseName;

    public IMongoCollection<BsonDocument> Collection(SeedCollection part) => database.GetCollection<BsonDocument>(part.Name);

    /// <summary>How many seeded documents a collection has.</summary>
    public Task<long> CountAsync(SeedCollection part, CancellationToken cancellationToken) =>
        Collection(part).CountDocumentsAsync(SeedKeys.All(part.Kind), cancellationToken: cancellationToken);

    /// <summary>Whether any of some collections has a seeded document.</summary>
    public async Task<bool> AnyAsync(IEnumerable<SeedCollection> parts, CancellationToken cancellationToken)
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

    /// <summary>What the seeder did last; null when it never ran, or cleaned.</summary>
    public async Task<SeedMarker?> ReadMarkerAsync(CancellationToken cancellationToken) =>
        await Markers.Find(marker => marker.Id == SeedMarker.OnlyId).FirstOrDefaultAsync(cancellationToken);

    /// <summary>Writes what the seeder does. One that lost its lease and does not know yet has a smaller fencing number than its successor.</summary>
    /// <exception cref="LeaseLostException">A successor has written.</exception>
    public async Task WriteMarkerAsync(SeedMarker marker, CancellationToken cancellationToken)
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

    /// <summary>Removes the marker: nothing is seeded any more.</summary>
    public Task RemoveMarkerAsync(long fence, CancellationToken cancellationToken)
    {
        Lease.RequireHeld();
        return Markers.DeleteOneAsync(existing => existing.Id == SeedMarker.OnlyId && existing.Fence <= fence, cancellationToken);
    }

    /// <summary>Waits for other seeders and runs work.</summary>
    /// <param name="output">Where it is told that another one is waited for.</param>
    /// <param name="work">The work; gets the lease's fencing number.</param>
    /// <param name="cancellationToken">Cancels waiting and work.</param>
    public async Task AloneAsync(TextWriter output, Func<long, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
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
                return;
            }
            catch (MongoException exception) when (attempt < Attempts && MongoErrors.IsTransient(exception))
            {
                // An election, most often. A run completes what the one before it began.
                await output.WriteLineAsync($"The database went away; going on (attempt {attempt + 1} of {Attempts}).");
            }
        }
    }
}
