using System.Collections.Concurrent;
using MongoDB.Bson;
using Platform.Data.Encryption;

namespace Platform.Tests.TestKit.Encryption;

/// <summary>A vault in memory, with the filters that are asked of one.</summary>
public sealed class MemoryKeyVault : IKeyVault
{
    private readonly ConcurrentDictionary<string, BsonDocument> _keys = new();
    private int _reads;

    /// <summary>How often it was read.</summary>
    public int Reads => _reads;

    /// <summary>The keys by their names.</summary>
    public IReadOnlyDictionary<string, BsonDocument> Keys => _keys;

    /// <inheritdoc/>
    public IReadOnlyList<BsonDocument> Find(BsonDocument filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        Interlocked.Increment(ref _reads);
        return [.. _keys.Values.Where(key => Matches(key, filter))];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<BsonDocument>> FindAsync(BsonDocument filter, CancellationToken cancellationToken) => Task.FromResult(Find(filter));

    /// <inheritdoc/>
    public bool TryInsert(BsonDocument key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return _keys.TryAdd(key["keyAltNames"][0].AsString, key);
    }

    /// <inheritdoc/>
    public Task<bool> TryInsertAsync(BsonDocument key, CancellationToken cancellationToken) => Task.FromResult(TryInsert(key));

    /// <summary>Removes a key.</summary>
    /// <param name="tenant">Whose.</param>
    public void Destroy(ObjectId tenant) => _keys.TryRemove(FieldEncryption.NameOf(tenant), out _);

    /// <summary>Puts a key in the place of the one of its name.</summary>
    /// <param name="key">The key.</param>
    public void Replace(BsonDocument key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _keys[key["keyAltNames"][0].AsString] = key;
    }

    private static bool Matches(BsonDocument key, BsonDocument filter) => filter.All(condition => condition.Name switch
    {
        "$or" => condition.Value.AsBsonArray.Any(part => Matches(key, part.AsBsonDocument)),
        "$and" => condition.Value.AsBsonArray.All(part => Matches(key, part.AsBsonDocument)),
        _ => Values(key, condition.Name).Any(value => condition.Value switch
        {
            BsonDocument { ElementCount: 1 } test when test.Contains("$in") => test["$in"].AsBsonArray.Contains(value),
            BsonDocument { ElementCount: 1 } test when test.Contains("$nin") => !test["$nin"].AsBsonArray.Contains(value),
            BsonDocument test => throw new NotSupportedException($"This vault does not know {test}."),
            var same => same == value,
        }),
    });

    private static BsonArray Values(BsonDocument key, string path)
    {
        BsonValue value = key;
        foreach (var name in path.Split('.'))
        {
            value = value.AsBsonDocument.GetValue(name, BsonNull.Value);
        }

        return value is BsonArray array ? array : [value];
    }
}
