using MongoDB.Bson;

namespace Platform.Tests.Gateway;

/// <summary>A time series as a list of measurements, with the commands that it is tried with: some of them are refused in part.</summary>
internal sealed class TimeSeriesModel(int seed, IEnumerable<BsonDocument> documents)
{
    private readonly Random _random = new(seed);
    private int _next = 100;

    /// <summary>The measurements that there should be.</summary>
    public List<BsonDocument> Documents { get; } = [.. documents];

    /// <summary>What the reply to the last command should say.</summary>
    public BsonDocument Expected { get; private set; } = [];

    /// <summary>What of a reply is compared.</summary>
    public static BsonDocument Outcome(BsonDocument reply)
    {
        var outcome = new BsonDocument(
            reply.Where(field => field.Name is "n" or "nModified" or "value").OrderBy(field => field.Name, StringComparer.Ordinal));
        if (reply.TryGetValue("writeErrors", out var errors))
        {
            outcome["errors"] = new BsonArray(errors.AsBsonArray.Select(error => new BsonArray { error["index"], error["code"] }));
        }

        return outcome;
    }

    /// <summary>Makes a command and does what it should do.</summary>
    public BsonDocument Next() => _random.Next(8) switch
    {
        < 3 => Insert(),
        < 6 => Update(),
        6 => Delete(),
        _ => FindAndRemove(),
    };

    private BsonDocument Insert()
    {
        var (ordered, n, errors) = (_random.Next(2) == 0, 0, new BsonArray());
        var documents = new BsonArray();
        for (var i = _random.Next(1, 5); i > 0; i--)
        {
            BsonValue time = _random.Next(8) switch
            {
                0 => 1,
                1 => "2026-01-01",
                _ => new DateTime(2026, 1, _random.Next(1, 28), 0, 0, 0, DateTimeKind.Utc),
            };
            // Keys meet on purpose: they need not differ.
            documents.Add(new BsonDocument { { "_id", _random.Next(6) }, { "t", time }, { "m", _random.Next(4) }, { "v", _next++ } });
        }

        for (var i = 0; i < documents.Count && !(ordered && errors.Count > 0); i++)
        {
            if (documents[i]["t"].IsValidDateTime)
            {
                Documents.Add(documents[i].AsBsonDocument);
                n++;
            }
            else
            {
                errors.Add(new BsonArray { i, 2 });
            }
        }

        Expect(new BsonDocument("n", n), errors);
        return new BsonDocument { { "insert", "s" }, { "documents", documents }, { "ordered", ordered } };
    }

    private BsonDocument Update()
    {
        var (ordered, n, modified, errors) = (_random.Next(2) == 0, 0, 0, new BsonArray());
        var statements = new BsonArray();
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            var (from, to) = (_random.Next(4), _random.Next(4));
            var statement = new BsonDocument
            {
                { "q", new BsonDocument("m", from) }, { "u", new BsonDocument("$set", new BsonDocument("m", to)) }, { "multi", true },
            };
            var isRefused = true;
            switch (_random.Next(10))
            {
                case 0:
                    statement["multi"] = false;
                    break;
                case 1:
                    statement["q"] = new BsonDocument("v", _random.Next(100, _next));
                    break;
                case 2:
                    statement["u"] = new BsonDocument("$set", new BsonDocument("v", 1));
                    break;
                case 3:
                    statement["upsert"] = true;
                    break;
                default:
                    isRefused = false;
                    break;
            }

            statements.Add(statement);
            if (ordered && errors.Count > 0)
            {
                continue;
            }

            if (isRefused)
            {
                errors.Add(new BsonArray { statements.Count - 1, 72 });
                continue;
            }

            foreach (var document in Documents.Where(document => document["m"] == from))
            {
                n++;
                modified += from == to ? 0 : 1;
                document["m"] = to;
            }
        }

        Expect(new BsonDocument { { "n", n }, { "nModified", modified } }, errors);
        return new BsonDocument { { "update", "s" }, { "updates", statements }, { "ordered", ordered } };
    }

    private BsonDocument Delete()
    {
        var n = 0;
        var statements = new BsonArray();
        for (var i = _random.Next(1, 3); i > 0; i--)
        {
            var (field, value) = _random.Next(3) switch
            {
                0 => ("_id", _random.Next(6)),
                1 => ("m", _random.Next(4)),
                _ => ("v", _random.Next(100, _next + 1)),
            };
            // Where one of several goes, nobody knows which.
            var limit = field == "v" ? 1 : 0;
            statements.Add(new BsonDocument { { "q", new BsonDocument(field, value) }, { "limit", limit } });
            n += Documents.RemoveAll(document => document[field] == value);
        }

        Expect(new BsonDocument("n", n), []);
        return new BsonDocument { { "delete", "s" }, { "deletes", statements } };
    }

    private BsonDocument FindAndRemove()
    {
        var value = _random.Next(100, _next + 1);
        var found = Documents.FirstOrDefault(document => document["v"] == value);
        if (found is not null)
        {
            Documents.Remove(found);
        }

        Expect(new BsonDocument("value", found ?? (BsonValue)BsonNull.Value), []);
        return new BsonDocument { { "findAndModify", "s" }, { "query", new BsonDocument("v", value) }, { "remove", true } };
    }

    private void Expect(BsonDocument outcome, BsonArray errors)
    {
        Expected = outcome;
        if (errors.Count > 0)
        {
            outcome["errors"] = errors;
        }
    }
}
