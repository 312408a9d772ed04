using System.CommandLine;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;

namespace Platform.Seeder.Commands;

/// <summary><c>seeder status</c>: counts what is there of the seeded data.</summary>
internal sealed class StatusCommand(SeedStore store, SeedGuard guard, TimeProvider time)
{
    public static Command Create() => DatabaseJob.Report<StatusCommand, SeedStatus>(
        new Command("status", "Show what is there of the seeded data, and what the database is marked as."),
        SeederJob.Create,
        (status, _, token) => status.RunAsync(token),
        (output, report) => output.WriteLine(SeedText.Of(report)));

    public async Task<SeedStatus> RunAsync(CancellationToken cancellationToken)
    {
        var marker = await store.ReadMarkerAsync(cancellationToken);
        var mark = await guard.ReadAsync(cancellationToken);
        var collections = new List<CollectionSeedStatus>();
        foreach (var part in SeedCollection.All(new SeedSize()))
        {
            var seeded = await store.CountAsync(part, cancellationToken);
            var others = await store.Collection(part).CountDocumentsAsync(SeedKeys.Others(part.Kind), cancellationToken: cancellationToken);
            collections.Add(new CollectionSeedStatus(part.Name, seeded, Expected(marker, part), others));
        }

        var state = marker is null ? collections.Exists(collection => collection.Seeded > 0) ? SeedState.Incomplete : SeedState.NotSeeded
            : marker.Complete && collections.TrueForAll(collection => collection.Seeded >= collection.Expected) ? SeedState.Seeded : SeedState.Incomplete;
        return new SeedStatus(store.Name, mark?.Name, state, marker, collections);
    }

    private long Expected(SeedMarker? marker, SeedCollection collection)
    {
        var documents = marker?.Parts.FirstOrDefault(part => part.Collection == collection.Name)?.Documents ?? 0;
        var isExpired = marker?.Size() is { } size && !collection.IsKept(size, time.GetUtcNow().UtcDateTime);
        return marker is null || marker.Tenants == 0 || isExpired ? 0 : documents / marker.Tenants * (marker.Tenants - marker.RemovedTenants.Count);
    }
}

/// <summary>What is there of the seeded data.</summary>
/// <param name="Database">The database's name.</param>
/// <param name="Environment">What the database is marked as; null when it has no mark.</param>
/// <param name="State">How the seeding stands.</param>
/// <param name="Marker">What the seeder did last; null when it never ran, or cleaned.</param>
/// <param name="Collections">Each collection.</param>
internal sealed record SeedStatus(
    string Database, string? Environment, SeedState State, SeedMarker? Marker, IReadOnlyList<CollectionSeedStatus> Collections);

/// <summary>What one collection holds.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Seeded">Seeded documents.</param>
/// <param name="Expected">Documents that the last seeding is to have; 0 when it left the collection out.</param>
/// <param name="Others">Documents that were not seeded.</param>
internal sealed record CollectionSeedStatus(string Collection, long Seeded, long Expected, long Others);

/// <summary>How the seeding of a database stands.</summary>
internal enum SeedState
{
    /// <summary>Nothing was seeded.</summary>
    NotSeeded,

    /// <summary>Everything that was asked for is there.</summary>
    Seeded,

    /// <summary>A run was interrupted or is under way, or documents are gone since.</summary>
    Incomplete,
}
