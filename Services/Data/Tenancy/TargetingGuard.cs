using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Mongo.Connections;

namespace Platform.Data.Tenancy;

/// <summary>
/// Objects to commands on sharded collections that do not name the tenant, or not enough to find the one document that they change. For programs that
/// serve tenants: jobs, which read all of them, have none.
/// </summary>
internal sealed class TargetingGuard : ICommandGuard
{
    private static readonly Dictionary<string, ShardKey> s_keys =
        CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded)
            .ToDictionary(collection => collection.Name, collection => collection.ShardKey, StringComparer.Ordinal);

    private static readonly Func<string, ShardKey?> s_keyOf = name => s_keys.GetValueOrDefault(name);

    /// <inheritdoc/>
    public string? Objection(string database, BsonDocument command) =>
        database is "admin" or "config" or "local" ? null : CommandTargeting.Objection(command, s_keyOf);
}
