using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Collections in memory that are made of nothing but events, and clients that write what the events are about.</summary>
internal sealed class ChangeModel
{
    /// <summary>The collection whose first document ends it.</summary>
    public const string End = "end";

    private const int Keys = 20;

    private readonly Dictionary<string, SortedDictionary<int, BsonDocument>> _collections =
        Collections.ToDictionary(name => name, _ => new SortedDictionary<int, BsonDocument>());
    private string _last = "";

    /// <summary>The collections that are written to.</summary>
    public static IReadOnlyList<string> Collections { get; } = ["p", "q"];

    /// <summary>How many events there were.</summary>
    public int Events { get; private set; }

    /// <summary>What events have made of a collection, in the order of keys.</summary>
    public IEnumerable<BsonDocument> Documents(string collection) => _collections[collection].Values;

    /// <summary>Takes an event; false when it is the last one.</summary>
    public bool Apply(ChangeStreamDocument<BsonDocument> change)
    {
        var name = change.CollectionNamespace.CollectionName;
        if (name == End)
        {
            return false;
        }

        var token = change.ResumeToken["_data"].AsString;
        Assert.True(string.CompareOrdinal(_last, token) < 0, $"The token {token} comes after {_last}.");
        _last = token;
        Events++;
        var documents = _collections[name];
        var key = change.DocumentKey["_id"].AsInt32;
        switch (change.OperationType)
        {
            case ChangeStreamOperationType.Insert:
                documents.Add(key, change.FullDocument);
                break;
            case ChangeStreamOperationType.Replace:
                Assert.True(documents.ContainsKey(key));
                documents[key] = change.FullDocument;
                break;
            case ChangeStreamOperationType.Delete:
                Assert.True(documents.Remove(key));
                break;
            case ChangeStreamOperationType.Update:
                var document = documents[key];
                foreach (var field in change.UpdateDescription.UpdatedFields)
                {
                    document[field.Name] = field.Value;
                }

                foreach (var field in change.UpdateDescription.RemovedFields)
                {
                    document.Remove(field);
                }

                break;
            default:
                Assert.Fail($"There was an event {change.OperationType}.");
                break;
        }

        return true;
    }

    /// <summary>Writes at random, in transactions, too.</summary>
    public static async Task WriteAsync(IMongoClient client, IMongoDatabase database, int seed, int operations, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        for (var i = 0; i < operations; i++)
        {
            if (random.Next(5) > 0)
            {
                await OneAsync(database, random, null, cancellationToken);
                continue;
            }

            using var session = await client.StartSessionAsync(cancellationToken: cancellationToken);
            await session.WithTransactionAsync(
                async (own, token) =>
                {
                    await OneAsync(database, random, own, token);
                    await OneAsync(database, random, own, token);
                    return true;
                },
                cancellationToken: cancellationToken);
        }
    }

    private static async Task OneAsync(IMongoDatabase database, Random random, IClientSessionHandle? session, CancellationToken cancellationToken)
    {
        var collection = database.GetCollection<BsonDocument>(Collections[random.Next(Collections.Count)]);
        var filter = new BsonDocument("_id", random.Next(Keys));
        // New fields are made one at a time: in which order several are made is the server's choice.
        WriteModel<BsonDocument> write = random.Next(6) switch
        {
            0 => new ReplaceOneModel<BsonDocument>(filter, new BsonDocument { { "n", random.Next(100) }, { "replaced", true } }) { IsUpsert = true },
            1 => new DeleteOneModel<BsonDocument>(filter),
            2 => new UpdateOneModel<BsonDocument>(filter, new BsonDocument("$set", new BsonDocument("f" + random.Next(3), random.Next(100))))
            {
                IsUpsert = true,
            },
            3 => new UpdateOneModel<BsonDocument>(filter, new BsonDocument("$unset", new BsonDocument("f" + random.Next(3), 1))),
            _ => new UpdateOneModel<BsonDocument>(filter, new BsonDocument("$inc", new BsonDocument("n", 1))) { IsUpsert = true },
        };
        _ = session is null
            ? await collection.BulkWriteAsync([write], cancellationToken: cancellationToken)
            : await collection.BulkWriteAsync(session, [write], cancellationToken: cancellationToken);
    }
}
