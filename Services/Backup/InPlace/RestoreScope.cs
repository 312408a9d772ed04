using MongoDB.Bson;
using Platform.Backup.Engines;
using Platform.Data.Catalogue;

namespace Platform.Backup.InPlace;

/// <summary>What is brought back in the running database, and nothing else: every command that reads or writes documents for it names it.</summary>
internal sealed class RestoreScope
{
    private const string Owner = "tenantId";

    private RestoreScope(IReadOnlyList<string> collections, ObjectId? tenant) => (Collections, Tenant) = (collections, tenant);

    /// <summary>The collections with documents of tenants that can be written to like any other.</summary>
    public static IReadOnlyList<string> OfTenants { get; } =
        [.. CollectionCatalogue.Domain.Where(IsRestored).Select(definition => definition.Name)];

    /// <summary>Those with documents of tenants that are not restored: measurements, which cannot be written to one by one.</summary>
    public static IReadOnlyList<string> NotRestored { get; } =
        [.. CollectionCatalogue.Domain.Where(definition => !IsRestored(definition)).Select(definition => definition.Name)];

    /// <summary>The collections in which something may change.</summary>
    public IReadOnlyList<string> Collections { get; }

    /// <summary>The tenant whose documents change; null when it is all of a collection.</summary>
    public ObjectId? Tenant { get; }

    /// <summary>All that a tenant has.</summary>
    public static RestoreScope OfTenant(ObjectId tenant) => new(OfTenants, tenant);

    /// <summary>One collection: its documents, and where they are gone its options, validator and indexes.</summary>
    /// <exception cref="BackupException">It is what the programs that run keep of their own work, or the server's.</exception>
    public static RestoreScope OfCollection(string name) => !name.StartsWith('_') && !name.StartsWith("system.", StringComparison.Ordinal)
        ? new([name], null)
        : throw new BackupException(
            $"{name} is not brought back: it is what programs or the server keep of their own work, which goes on. Open the copy with 'backup restore --serve' "
                + "to look at it.",
            ExitCodes.Refused);

    /// <summary>The filter of all documents of a collection that belong to it.</summary>
    public BsonDocument Of(string collection) =>
        Tenant is not { } tenant ? [] : new BsonDocument(collection == CollectionNames.Tenants ? "_id" : Owner, tenant);

    /// <summary>The filter of those of some keys.</summary>
    public BsonDocument Of(string collection, IEnumerable<BsonValue> keys)
    {
        var byKeys = new BsonDocument("_id", new BsonDocument("$in", new BsonArray(keys)));
        return Tenant is null ? byKeys : new BsonDocument("$and", new BsonArray { Of(collection), byKeys });
    }

    private static bool IsRestored(CollectionDefinition definition) =>
        definition.TimeSeries is null && definition.View is null && (definition.IsTenantOwned || definition.Name == CollectionNames.Tenants);
}
