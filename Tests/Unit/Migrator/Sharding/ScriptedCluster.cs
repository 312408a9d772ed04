using System.Net;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Servers;
using Platform.Data.Catalogue;
using Platform.Migrator.Sharding;
using ClusterId = MongoDB.Driver.Core.Clusters.ClusterId;

namespace Platform.Tests.Unit.Migrator.Sharding;

/// <summary>
/// A mongos that holds no data: it answers what is asked of <c>config</c>, takes the commands that shard, and refuses what a mongos refuses: a key
/// without an index, a zone that no shard has, ranges of zones that overlap, another key for what is sharded. Replies come two documents at a time.
/// </summary>
internal sealed class ScriptedCluster : ICluster
{
    public const string Database = "shop";

    private static readonly HashSet<string> s_reads = new(StringComparer.Ordinal)
        { "hello", "listShards", "balancerStatus", "find", "aggregate", "listIndexes", "getMore" };

    private readonly Dictionary<long, Queue<BsonDocument>> _cursors = [];
    private readonly SortedDictionary<string, BsonDocument> _settings = new(StringComparer.Ordinal);
    private long _lastCursor;

    public bool IsCluster { get; init; } = true;

    public SortedDictionary<string, SortedSet<string>> Shards { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Draining { get; } = [];

    public SortedDictionary<string, List<BsonDocument>> Indexes { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, BsonDocument> Collections { get; } = new(StringComparer.Ordinal);

    public List<BsonDocument> Zones { get; } = [];

    public List<BsonDocument> Tenants { get; } = [];

    public bool HasDatabase { get; set; }

    public bool BalancerIsOn { get; set; } = true;

    /// <summary>The commands that change something, in order.</summary>
    public List<BsonDocument> Sent { get; } = [];

    /// <summary>How many of these are taken before the connection breaks; null for all.</summary>
    public int? CutAfter { get; set; }

    /// <summary>Whether the last command was done when the connection broke.</summary>
    public bool CutWhenDone { get; set; }

    /// <summary>A cluster with the collections of the catalogue and their indexes, as the migrator leaves them.</summary>
    public static ScriptedCluster Migrated(int shards = 3, bool isCluster = true)
    {
        var cluster = new ScriptedCluster { IsCluster = isCluster };
        for (var shard = 1; shard <= shards; shard++)
        {
            cluster.Shards.Add($"rs{shard}", []);
        }

        foreach (var collection in CollectionCatalogue.All)
        {
            var indexes = new[] { new BsonDocument { { "name", "_id_" }, { "key", new BsonDocument("_id", 1) } } };
            cluster.Indexes.Add(
                collection.Name,
                [.. indexes.Concat(collection.IndexesFor(ServerKind.MongoDb, isTimeSeries: true).Select(index => index.Specification()))]);
        }

        return cluster;
    }

    /// <summary>All that the cluster keeps, in one line, to compare.</summary>
    public string Everything() => string.Join(
        '\n',
        Shards.Select(shard => $"{shard.Key}: {string.Join(',', shard.Value)}")
            .Concat(Collections.Select(collection => collection.Value.ToJson()))
            .Concat(Zones.Select(zone => zone.ToJson()).Order(StringComparer.Ordinal))
            .Concat(_settings.Select(setting => setting.Value.ToJson()))
            .Concat(Indexes.Select(collection => $"{collection.Key}: {string.Join(',', collection.Value.Select(index => index["name"].AsString))}"))
            .Append($"database {HasDatabase}, balancer {BalancerIsOn}"));

    public void Set(string setting, BsonDocument value) => _settings[setting] = new BsonDocument("_id", setting).Merge(value);

    public Task<BsonDocument> RunAsync(string on, BsonDocument command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var name = command.GetElement(0).Name;
        if (s_reads.Contains(name))
        {
            return Task.FromResult(Read(on, name, command));
        }

        if (CutAfter is { } left)
        {
            if (left == 0)
            {
                if (CutWhenDone)
                {
                    Do(on, name, command);
                }

                throw new MongoConnectionException(s_connection, "The connection broke.");
            }

            CutAfter = left - 1;
        }

        Do(on, name, command);
        return Task.FromResult(new BsonDocument("ok", 1));
    }

    private static readonly ConnectionId s_connection = new(new ServerId(new ClusterId(), new DnsEndPoint("mongos", 27017)));

    private static MongoCommandException Refused(int code, string message) =>
        new(s_connection, message, [], new BsonDocument { { "ok", 0 }, { "code", code }, { "errmsg", message } });

    private BsonDocument Read(string on, string name, BsonDocument command) => (on, name) switch
    {
        ("admin", "hello") => IsCluster ? new BsonDocument("msg", "isdbgrid") : new BsonDocument("setName", "rs0"),
        (Database, "listIndexes") => Cursor(
            on, Indexes.TryGetValue(command["listIndexes"].AsString, out var indexes) ? indexes : throw Refused(26, "ns does not exist")),
        (Database, "find") => Cursor(on, Tenants.Where(tenant => command["filter"]["slug"]["$in"].AsBsonArray.Contains(tenant["slug"]))),
        (_, "getMore") => More(on, command["getMore"].AsInt64),
        _ when !IsCluster => throw Refused(59, $"no such command: '{name}'"),
        ("admin", "listShards") => new BsonDocument("shards", new BsonArray(Shards.Select(shard =>
        {
            var listed = new BsonDocument { { "_id", shard.Key }, { "host", $"{shard.Key}/localhost:1" } };
            return shard.Value.Count > 0 || Draining.Contains(shard.Key)
                ? listed.Add("tags", new BsonArray(shard.Value)).Add("draining", Draining.Contains(shard.Key))
                : listed;
        }))),
        ("admin", "balancerStatus") => new BsonDocument("mode", BalancerIsOn ? "full" : "off"),
        ("config", "find") => Cursor(on, command["find"].AsString switch
        {
            "databases" => HasDatabase ? [new BsonDocument { { "_id", Database }, { "primary", "rs1" } }] : [],
            "collections" => Collections.Values,
            "tags" => Zones,
            "settings" => _settings.Values,
            var other => throw Refused(26, other),
        }),
        ("config", "aggregate") => Cursor(on, Collections.Values.Any(collection => collection["uuid"] == command["pipeline"][0]["$match"]["uuid"])
            ? Shards.Keys.Select((shard, number) => new BsonDocument { { "_id", shard }, { "ranges", number + 1 }, { "jumbo", number == 1 ? 1 : 0 } })
            : []),
        (Database, "aggregate") => Cursor(on, Shards.Keys.Select((shard, number) => new BsonDocument
        {
            { "shard", shard }, { "storageStats", new BsonDocument { { "size", number * 500_000_000L }, { "numOrphanDocs", number } } },
        })),
        _ => throw Refused(59, $"no such command: '{name}' on {on}"),
    };

    private void Do(string on, string name, BsonDocument command)
    {
        switch (on, name)
        {
            case ("admin", "enableSharding"):
                HasDatabase = true;
                break;
            case ("admin", "balancerStop"):
                BalancerIsOn = false;
                break;
            case ("admin", "balancerStart"):
                BalancerIsOn = true;
                break;
            case ("admin", "addShardToZone"):
                var zones = Shards.TryGetValue(command["addShardToZone"].AsString, out var known) ? known : throw Refused(70, "shard does not exist");
                zones.Add(command["zone"].AsString);
                break;
            case (Database, "createIndexes"):
                Indexes[command["createIndexes"].AsString].AddRange(command["indexes"].AsBsonArray.Cast<BsonDocument>());
                break;
            case ("admin", "shardCollection"):
                Shard(NameOf(command["shardCollection"]), command);
                break;
            case ("admin", "reshardCollection"):
                Collections[NameOf(command["reshardCollection"])]["key"] = command["key"];
                break;
            case ("admin", "configureCollectionBalancing"):
                var collection = NameOf(command["configureCollectionBalancing"]);
                var configured = Collections.TryGetValue(collection, out var sharded) ? sharded : throw Refused(118, "not sharded");
                configured["maxChunkSizeBytes"] = command["chunkSize"].ToInt64() * 1024 * 1024;
                break;
            case ("admin", "updateZoneKeyRange"):
                SetZone(command);
                break;
            case ("config", "update"):
                var update = command["updates"][0];
                Set(update["q"]["_id"].AsString, update["u"]["$set"].AsBsonDocument);
                break;
            default:
                throw Refused(59, $"no such command: '{name}' on {on}");
        }

        Sent.Add(command);
    }

    private void Shard(string name, BsonDocument command)
    {
        var key = command["key"].AsBsonDocument;
        var series = CollectionCatalogue.All.Single(collection => collection.Name == name).TimeSeries;
        if (Collections.TryGetValue(name, out var there))
        {
            throw there["key"] == key ? Refused(20, "already sharded") : Refused(23, "already sharded with another key");
        }

        if (!HasDatabase)
        {
            throw Refused(26, "sharding is not enabled for the database");
        }

        var indexes = Indexes[name].Where(index => !index.Contains("partialFilterExpression")).Select(index => index["key"].AsBsonDocument);
        if (series is null && !indexes.Any(index => index.Take(key.ElementCount).SequenceEqual(key)))
        {
            throw Refused(72, "please create an index that starts with the proposed shard key");
        }

        if (Indexes[name].FirstOrDefault(index => index.GetValue("unique", false).ToBoolean()
            && !index["key"].AsBsonDocument.Names.Take(key.ElementCount).SequenceEqual(key.Names)) is { } unique)
        {
            throw Refused(72, $"can't shard collection with unique index on {unique["name"]}");
        }

        Collections[name] = new BsonDocument
        {
            { "_id", $"{Database}.{(series is null ? "" : "system.buckets.")}{name}" }, { "uuid", name },
            { "key", series is null ? key : new BsonDocument("meta", 1) }, { "unique", command.GetValue("unique", false) },
        };
    }

    private void SetZone(BsonDocument command)
    {
        var (min, max) = (command["min"].AsBsonDocument, command["max"].AsBsonDocument);
        var same = Zones.FirstOrDefault(zone => zone["ns"] == command["updateZoneKeyRange"] && zone["min"] == min && zone["max"] == max);
        if (command["zone"].IsBsonNull)
        {
            Zones.Remove(same ?? throw Refused(26, "no such range"));
            return;
        }

        if (Shards.Values.All(zones => !zones.Contains(command["zone"].AsString)))
        {
            throw Refused(180, "zone does not exist");
        }

        if (same is not null && same["tag"] == command["zone"])
        {
            return;
        }

        if (Zones.Any(zone => zone["ns"] == command["updateZoneKeyRange"] && zone["min"] < max && min < zone["max"]))
        {
            throw Refused(178, "zone range is overlapping with another one");
        }

        Zones.Add(new BsonDocument { { "ns", command["updateZoneKeyRange"] }, { "min", min }, { "max", max }, { "tag", command["zone"] } });
    }

    private static string NameOf(BsonValue full) => full.AsString[(Database.Length + 1)..];

    private BsonDocument Cursor(string on, IEnumerable<BsonDocument> documents)
    {
        var queue = new Queue<BsonDocument>(documents.Select(document => document.DeepClone().AsBsonDocument));
        _cursors.Add(++_lastCursor, queue);
        return Batch(on, _lastCursor, "firstBatch");
    }

    private BsonDocument More(string on, long cursor) => _cursors.ContainsKey(cursor) ? Batch(on, cursor, "nextBatch") : throw Refused(43, "cursor not found");

    private BsonDocument Batch(string on, long cursor, string name)
    {
        var batch = new BsonArray();
        while (batch.Count < 2 && _cursors[cursor].TryDequeue(out var document))
        {
            batch.Add(document);
        }

        var isLast = _cursors[cursor].Count == 0;
        if (isLast)
        {
            _cursors.Remove(cursor);
        }

        return new BsonDocument("cursor", new BsonDocument { { "id", isLast ? 0L : cursor }, { "ns", $"{on}.any" }, { name, batch } });
    }
}
