using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Sharding;

/// <summary>Reads how a cluster distributes a database. Changes nothing.</summary>
/// <param name="cluster">The server.</param>
/// <param name="database">The database's name.</param>
internal sealed class ClusterReader(ICluster cluster, string database)
{
    private const string Config = "config";
    private const string Buckets = "system.buckets.";
    private const int NamespaceNotFound = 26;

    /// <summary>Reads it.</summary>
    /// <param name="sizes">Whether to ask for what each shard has, too.</param>
    /// <param name="cancellationToken">Cancels the questions.</param>
    public async Task<ClusterState> ReadAsync(bool sizes, CancellationToken cancellationToken)
    {
        var hello = await cluster.RunAsync("admin", new BsonDocument("hello", 1), cancellationToken);
        var indexes = await ReadIndexesAsync(cancellationToken);
        if (hello.GetValue("msg", "") != "isdbgrid")
        {
            return ClusterState.ReplicaSet with { Indexes = indexes };
        }

        var prefix = $"{database}.";
        var ofDatabase = new BsonDocument("$regex", new BsonRegularExpression($"^{System.Text.RegularExpressions.Regex.Escape(prefix)}"));
        var shards = await cluster.RunAsync("admin", new BsonDocument("listShards", 1), cancellationToken);
        var databases = await FindAsync(Config, "databases", new BsonDocument("_id", database), cancellationToken);
        var collections = await FindAsync(Config, "collections", new BsonDocument("_id", ofDatabase), cancellationToken);
        var tags = await FindAsync(Config, "tags", new BsonDocument("ns", ofDatabase), cancellationToken);
        var settings = (await FindAsync(Config, "settings", [], cancellationToken)).ToDictionary(setting => setting["_id"].AsString, StringComparer.Ordinal);
        var balancer = await cluster.RunAsync("admin", new BsonDocument("balancerStatus", 1), cancellationToken);
        var sharded = new Dictionary<string, ShardedCollection>(StringComparer.Ordinal);
        foreach (var collection in collections.Where(collection => !collection.GetValue("unsplittable", false).ToBoolean()))
        {
            var name = NameOf(collection["_id"].AsString);
            sharded[name] = await ReadAsync(name, collection, sizes, cancellationToken);
        }

        var window = settings.TryGetValue("balancer", out var of) && of.TryGetValue("activeWindow", out var active) ? active.AsBsonDocument : [];
        return new ClusterState
        {
            IsCluster = true,
            Shards =
            [
                .. shards["shards"].AsBsonArray.Select(shard => new ShardState(
                    shard["_id"].AsString,
                    [.. shard.AsBsonDocument.GetValue("tags", new BsonArray()).AsBsonArray.Select(tag => tag.AsString)],
                    shard.AsBsonDocument.GetValue("draining", false).ToBoolean())),
            ],
            PrimaryShard = databases.Count == 0 ? null : databases[0]["primary"].AsString,
            Collections = sharded,
            Zones =
            [
                .. tags.Select(tag => new ZoneRange(NameOf(tag["ns"].AsString), tag["tag"].AsString, tag["min"].AsBsonDocument, tag["max"].AsBsonDocument)),
            ],
            BalancerIsOn = balancer["mode"] != "off",
            Window = (window.GetValue("start", "").AsString, window.GetValue("stop", "").AsString),
            RangeMebibytes = settings.TryGetValue("chunksize", out var size) ? size["value"].ToInt32() : ShardKey.DefaultRangeMebibytes,
            Indexes = indexes,
        };
    }

    /// <summary>The keys of tenants by their slugs; those that are not there are left out.</summary>
    public async Task<IReadOnlyDictionary<string, ObjectId>> ReadTenantsAsync(IReadOnlyCollection<string> slugs, CancellationToken cancellationToken) =>
        slugs.Count == 0
            ? new Dictionary<string, ObjectId>()
            : (await FindAsync(
                database, CollectionNames.Tenants, new BsonDocument("slug", new BsonDocument("$in", new BsonArray(slugs))), cancellationToken))
                .ToDictionary(tenant => tenant["slug"].AsString, tenant => tenant["_id"].AsObjectId, StringComparer.Ordinal);

    // A time series is kept in buckets, in a collection of its own, where the source is called meta.
    private string NameOf(string full)
    {
        var name = full[(database.Length + 1)..];
        return name.StartsWith(Buckets, StringComparison.Ordinal) ? name[Buckets.Length..] : name;
    }

    private static BsonDocument KeyOf(string name, BsonDocument key)
    {
        var series = CollectionCatalogue.All.FirstOrDefault(collection => collection.Name == name)?.TimeSeries;
        return series is null ? key : new BsonDocument(key.Select(part => part.Name == "meta" ? new BsonElement(series.MetaField, part.Value) : part));
    }

    private async Task<ShardedCollection> ReadAsync(string name, BsonDocument collection, bool sizes, CancellationToken cancellationToken)
    {
        var byShard = await AggregateAsync(
            Config,
            "chunks",
            [
                new BsonDocument("$match", new BsonDocument("uuid", collection["uuid"])),
                BsonDocument.Parse("{ $group: { _id: '$shard', ranges: { $sum: 1 }, jumbo: { $sum: { $cond: [{ $eq: ['$jumbo', true] }, 1, 0] } } } }"),
            ],
            cancellationToken);
        var read = new ShardedCollection(
            KeyOf(name, collection["key"].AsBsonDocument),
            collection.TryGetValue("maxChunkSizeBytes", out var bytes) ? (int)(bytes.ToInt64() / 1024 / 1024) : null,
            byShard.ToDictionary(shard => shard["_id"].AsString, shard => shard["ranges"].ToInt32(), StringComparer.Ordinal),
            byShard.Sum(shard => shard["jumbo"].ToInt32()));
        if (!sizes)
        {
            return read;
        }

        var stats = await AggregateAsync(
            database, name, [new BsonDocument("$collStats", new BsonDocument("storageStats", new BsonDocument()))], cancellationToken);
        return read with
        {
            Bytes = stats.Where(shard => shard.Contains("shard"))
                .ToDictionary(
                    shard => shard["shard"].AsString,
                    shard => shard["storageStats"].AsBsonDocument.GetValue("size", 0).ToInt64(),
                    StringComparer.Ordinal),
            Orphans = stats.Sum(shard => shard["storageStats"].AsBsonDocument.GetValue("numOrphanDocs", 0).ToInt64()),
        };
    }

    private async Task<Dictionary<string, IReadOnlyList<BsonDocument>>> ReadIndexesAsync(CancellationToken cancellationToken)
    {
        var indexes = new Dictionary<string, IReadOnlyList<BsonDocument>>(StringComparer.Ordinal);
        foreach (var collection in CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded))
        {
            try
            {
                indexes.Add(collection.Name, await AllAsync(database, new BsonDocument("listIndexes", collection.Name), cancellationToken));
            }
            catch (MongoCommandException exception) when (exception.Code == NamespaceNotFound)
            {
                // Not there yet.
            }
        }

        return indexes;
    }

    private Task<List<BsonDocument>> FindAsync(string on, string collection, BsonDocument filter, CancellationToken cancellationToken) =>
        AllAsync(on, new BsonDocument { { "find", collection }, { "filter", filter } }, cancellationToken);

    private Task<List<BsonDocument>> AggregateAsync(string on, string collection, BsonDocument[] pipeline, CancellationToken cancellationToken) =>
        AllAsync(
            on, new BsonDocument { { "aggregate", collection }, { "pipeline", new BsonArray(pipeline) }, { "cursor", new BsonDocument() } }, cancellationToken);

    private async Task<List<BsonDocument>> AllAsync(string on, BsonDocument command, CancellationToken cancellationToken)
    {
        var cursor = (await cluster.RunAsync(on, command, cancellationToken))["cursor"].AsBsonDocument;
        var all = cursor["firstBatch"].AsBsonArray.Select(document => document.AsBsonDocument).ToList();
        while (cursor["id"].ToInt64() is not 0 and var id)
        {
            var ns = cursor["ns"].AsString;
            var more = new BsonDocument { { "getMore", id }, { "collection", ns[(ns.IndexOf('.', StringComparison.Ordinal) + 1)..] } };
            cursor = (await cluster.RunAsync(on, more, cancellationToken))["cursor"].AsBsonDocument;
            all.AddRange(cursor["nextBatch"].AsBsonArray.Select(document => document.AsBsonDocument));
        }

        return all;
    }
}
