using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Leases;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Storage;

/// <summary>
/// Takes the costly indexes away from collections that hold nothing, and builds them when these are filled. Keeping one costs an entry for
/// each word of each document, at a random place; building one sorts them first.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="permit">Refuses when made-up data is not welcome any more; asked before each drop.</param>
internal sealed class DeferredIndexes(IMongoDatabase database, Func<CancellationToken, Task> permit)
{
    /// <summary>The indexes that can wait, as <c>COLLECTION.INDEX</c>: those that are there, of collections without a document.</summary>
    public async Task<IReadOnlyList<string>> FindAsync(IEnumerable<SeedCollection> parts, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        foreach (var part in parts.Where(part => part.Definition.Indexes.Any(index => index.IsCostly)))
        {
            var collection = Collection(part);
            if (await collection.Find(FilterDefinition<BsonDocument>.Empty).Limit(1).AnyAsync(cancellationToken))
            {
                continue;
            }

            using var cursor = await collection.Indexes.ListAsync(cancellationToken);
            var names = (await cursor.ToListAsync(cancellationToken)).Select(index => index["name"].AsString).ToHashSet(StringComparer.Ordinal);
            found.AddRange(part.Definition.Indexes.Where(index => index.IsCostly && names.Contains(index.Name)).Select(index => $"{part.Name}.{index.Name}"));
        }

        return found;
    }

    /// <summary>Drops indexes.</summary>
    public async Task DropAsync(IReadOnlyList<SeedCollection> parts, IEnumerable<string> names, CancellationToken cancellationToken)
    {
        foreach (var name in names)
        {
            var (part, index) = Read(parts, name);
            await permit(cancellationToken);
            Lease.RequireHeld();
            await Collection(part).Indexes.DropOneAsync(index, cancellationToken);
        }
    }

    /// <summary>Builds indexes as the catalogue declares them; does nothing for those that are there.</summary>
    public async Task BuildAsync(IReadOnlyList<SeedCollection> parts, IEnumerable<string> names, TextWriter output, CancellationToken cancellationToken)
    {
        foreach (var name in names)
        {
            var (part, index) = Read(parts, name);
            if (part.Definition.Indexes.FirstOrDefault(definition => definition.Name == index)?.Specification() is not { } specification)
            {
                // An older program noted one that is not in the catalogue any more.
                continue;
            }

            Lease.RequireHeld();
            await output.WriteLineAsync($"Building the index {name}.");
            await database.RunCommandAsync<BsonDocument>(
                new BsonDocument { { "createIndexes", part.Name }, { "indexes", new BsonArray { specification } } }, cancellationToken: cancellationToken);
        }
    }

    private static (SeedCollection Part, string Index) Read(IReadOnlyList<SeedCollection> parts, string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return (parts.First(part => part.Name == name[..dot]), name[(dot + 1)..]);
    }

    private IMongoCollection<BsonDocument> Collection(SeedCollection part) => database.GetCollection<BsonDocument>(part.Name);
}
