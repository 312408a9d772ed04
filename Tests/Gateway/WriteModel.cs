using MongoDB.Bson;

namespace Platform.Tests.Gateway;

/// <summary>A collection in memory whose documents have an <c>_id</c>, a group <c>g</c> and a number <c>n</c>, and what writes do to it.</summary>
internal sealed class WriteModel
{
    private readonly SortedDictionary<int, BsonDocument> _documents = [];

    /// <summary>The documents by their <c>_id</c>.</summary>
    public IEnumerable<BsonDocument> Documents => _documents.Values;

    /// <summary>What a reply says, in one line.</summary>
    public static string Summary(BsonDocument reply) => string.Join(
        ' ',
        reply.GetValue("ok", 0).ToDouble(),
        reply.GetValue("n", 0).ToInt32(),
        reply.GetValue("nModified", 0).ToInt32(),
        string.Join(',', reply.GetValue("upserted", new BsonArray()).AsBsonArray.Select(u => $"{u["index"]}:{u["_id"]}")),
        string.Join(',', reply.GetValue("writeErrors", new BsonArray()).AsBsonArray.Select(e => $"{e["index"]}:{e["code"]}")));

    /// <summary>Runs a command and says what its reply is to say; see <see cref="Summary"/>.</summary>
    public string Run(string name, IReadOnlyList<BsonDocument> statements, bool ordered)
    {
        int n = 0, modified = 0;
        var upserted = new BsonArray();
        var errors = new BsonArray();
        for (var i = 0; i < statements.Count; i++)
        {
            var (matched, changed, id, code) = name switch
            {
                "insert" => Insert(statements[i]),
                "update" => Update(statements[i]),
                _ => Delete(statements[i]),
            };
            n += matched;
            modified += changed;
            if (id is not null)
            {
                upserted.Add(new BsonDocument { { "index", i }, { "_id", id } });
            }

            if (code != 0)
            {
                errors.Add(new BsonDocument { { "index", i }, { "code", code } });
                if (ordered)
                {
                    break;
                }
            }
        }

        return Summary(new BsonDocument { { "ok", 1 }, { "n", n }, { "nModified", modified }, { "upserted", upserted }, { "writeErrors", errors } });
    }

    private (int N, int Modified, BsonValue? Upserted, int Code) Insert(BsonDocument document) =>
        _documents.TryAdd(document["_id"].ToInt32(), (BsonDocument)document.DeepClone()) ? (1, 0, null, 0) : (0, 0, null, 11000);

    private (int N, int Modified, BsonValue? Upserted, int Code) Delete(BsonDocument statement)
    {
        var found = Find(statement["q"].AsBsonDocument).ToList();
        found.ForEach(key => _documents.Remove(key));
        return (found.Count, 0, null, 0);
    }

    private (int N, int Modified, BsonValue? Upserted, int Code) Update(BsonDocument statement)
    {
        var filter = statement["q"].AsBsonDocument;
        var update = statement["u"].AsBsonDocument;
        var found = Find(filter).ToList();
        var inserts = found.Count == 0 && statement.GetValue("upsert", false).ToBoolean();
        if (update.TryGetValue("$inc", out var increment) && increment.AsBsonDocument.Contains("_id"))
        {
            return inserts || found.Count > 0 ? (0, 0, null, 66) : (0, 0, null, 0);
        }

        if (inserts)
        {
            var made = new BsonDocument("_id", filter["_id"]);
            _documents.Add(filter["_id"].ToInt32(), Updated(made, update));
            return (1, 0, filter["_id"], 0);
        }

        var changed = 0;
        foreach (var key in found)
        {
            var document = Updated(_documents[key], update);
            // A field that changes its type changes.
            changed += document.ToBson().AsSpan().SequenceEqual(_documents[key].ToBson()) ? 0 : 1;
            _documents[key] = document;
        }

        return (found.Count, changed, null, 0);
    }

    private IEnumerable<int> Find(BsonDocument filter) => _documents
        .Where(d => filter.All(f => d.Value.TryGetValue(f.Name, out var value) && value.ToDouble() == f.Value.ToDouble()))
        .Select(d => d.Key);

    private static BsonDocument Updated(BsonDocument document, BsonDocument update)
    {
        if (update.GetElement(0).Name[0] != '$')
        {
            return new BsonDocument(document.GetElement(0)).AddRange(update);
        }

        var result = (BsonDocument)document.DeepClone();
        foreach (var field in update[0].AsBsonDocument)
        {
            result[field.Name] = update.GetElement(0).Name == "$inc" ? result.GetValue(field.Name, 0).ToInt32() + field.Value.ToInt32() : field.Value;
        }

        return result;
    }
}
