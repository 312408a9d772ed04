using MongoDB.Bson;
using Platform.Gateway.Authorization;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Commands.Writes;

/// <summary>
/// bulkWrite: inserts, updates and deletes of several collections in one command
/// (https://www.mongodb.com/docs/manual/reference/command/bulkWrite/). The backend has it by name only, so neighbours of one kind and
/// collection become one insert, update or delete each.
/// </summary>
internal sealed class BulkWriteCommands(WriteCommands writes) : ICommandFamily
{
    private const int MostOperations = WireLimits.MaxWriteBatchSize;

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
        [new("bulkWrite", WriteAccess.BulkWrite, BulkWriteAsync, CommandTraits.InTransaction | CommandTraits.RetryableWrite)];

    private async ValueTask<ReadOnlyMemory<byte>> BulkWriteAsync(CommandContext context)
    {
        if (context.Request.Database != "admin")
        {
            throw new CommandException(ErrorCode.Unauthorized, "bulkWrite may only be run against the admin database.");
        }

        var command = Command(context);
        var namespaces = command.GetValue("nsInfo", new BsonArray()) is BsonArray list ? list.Select(Namespace).ToList() : [];
        var operations = command.GetValue("ops", new BsonArray()) as BsonArray ?? [];
        if (operations.Count is 0 or > MostOperations)
        {
            throw new CommandException(
                ErrorCode.InvalidLength, $"Write batch sizes must be between 1 and {MostOperations}. Got {operations.Count} operations.");
        }

        var ordered = command.GetValue("ordered", true).ToBoolean();
        var errorsOnly = command.GetValue("errorsOnly", false).ToBoolean();
        var parsed = operations.Select((o, i) => Parse(o, i, namespaces)).ToList();
        var outcome = new Outcome();
        for (var start = 0; start < parsed.Count;)
        {
            var first = parsed[start];
            var end = start + 1;
            while (end < parsed.Count && parsed[end].Kind == first.Kind && parsed[end].Namespace == first.Namespace)
            {
                end++;
            }

            var failed = await RunAsync(context, command, parsed[start..end], ordered, outcome);
            if (failed && (ordered || context.Transaction is not null))
            {
                break;
            }

            start = end;
        }

        var results = new BsonArray(outcome.Results.Where(r => !errorsOnly || r["ok"] != 1.0));
        return Reply.With(new BsonDocument
        {
            { "cursor", new BsonDocument { { "id", 0L }, { "firstBatch", results }, { "ns", "admin.$cmd.bulkWrite" } } },
            { "nErrors", outcome.Errors },
            { "nInserted", outcome.Inserted },
            { "nMatched", outcome.Matched },
            { "nModified", outcome.Modified },
            { "nUpserted", outcome.Upserted },
            { "nDeleted", outcome.Deleted },
        });
    }

    /// <summary>Runs operations of one kind on one collection; true when one of them failed.</summary>
    private async ValueTask<bool> RunAsync(
        CommandContext context, BsonDocument command, IReadOnlyList<Operation> group, bool ordered, Outcome outcome)
    {
        var (database, collection) = group[0].Namespace;
        var name = group[0].Kind;
        // An update tells of all its statements together; one at a time, when each is to be told of.
        var parts = name == "insert" || group.Count == 1 ? [group] : group.Select(o => (IReadOnlyList<Operation>)[o]);
        var anyFailed = false;
        foreach (var part in parts)
        {
            var body = new BsonDocument
            {
                { name, collection },
                { name == "insert" ? "documents" : name + "s", new BsonArray(part.Select(o => o.Statement)) },
                { "ordered", ordered },
            };
            foreach (var option in (ReadOnlySpan<string>)["bypassDocumentValidation", "let", "maxTimeMS"])
            {
                if (command.TryGetValue(option, out var value))
                {
                    body[option] = value;
                }
            }

            var reply = new RawDocument(
                await writes.RunAsync(context, database, collection, name, new RawDocument(body.ToBson()), position: part[0].Index)).ToTree();
            anyFailed |= outcome.Add(name, part, reply);
            if (anyFailed && (ordered || context.Transaction is not null))
            {
                return true;
            }
        }

        return anyFailed;
    }

    private static BsonDocument Command(CommandContext context)
    {
        foreach (var sequence in context.Request.Sequences)
        {
            if (sequence.Name is not ("ops" or "nsInfo"))
            {
                throw new CommandException((ErrorCode)40415, $"BSON field 'bulkWrite.{sequence.Name}' is an unknown field.");
            }
        }

        return context.ToTree();
    }

    private static (string Database, string Collection) Namespace(BsonValue info)
    {
        var ns = info is BsonDocument document ? document.GetValue("ns", "").ToString() ?? "" : "";
        var dot = ns.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && dot < ns.Length - 1
            ? (ns[..dot], ns[(dot + 1)..])
            : throw new CommandException(ErrorCode.InvalidNamespace, $"Invalid namespace specified '{ns}'");
    }

    private static Operation Parse(BsonValue value, int index, List<(string Database, string Collection)> namespaces)
    {
        if (value is not BsonDocument { ElementCount: > 0 } operation || operation.GetElement(0) is not { Name: "insert" or "update" or "delete" } first
            || !first.Value.IsNumeric)
        {
            throw new CommandException(
                ErrorCode.FailedToParse, $"BSON field 'bulkWrite.ops.{index}' must be an insert, update or delete with the number of its namespace.");
        }

        var ns = first.Value.ToInt32();
        if (ns < 0 || ns >= namespaces.Count)
        {
            throw new CommandException(ErrorCode.BadValue, $"BulkWrite ops entry {index} has an invalid nsInfo index.");
        }

        var statement = new BsonDocument();
        switch (first.Name)
        {
            case "insert":
                statement = operation["document"].AsBsonDocument;
                if (!statement.Contains("_id"))
                {
                    statement.InsertAt(0, new BsonElement("_id", ObjectId.GenerateNewId()));
                }

                break;
            case "update":
                statement.Add("q", operation.GetValue("filter", new BsonDocument()));
                statement.Add("u", operation["updateMods"]);
                foreach (var option in (ReadOnlySpan<string>)["multi", "upsert", "arrayFilters", "hint", "collation", "sort"])
                {
                    if (operation.TryGetValue(option, out var given))
                    {
                        statement.Add(option, given);
                    }
                }

                break;
            default:
                statement.Add("q", operation.GetValue("filter", new BsonDocument()));
                statement.Add("limit", operation.GetValue("multi", false).ToBoolean() ? 0 : 1);
                foreach (var option in (ReadOnlySpan<string>)["hint", "collation"])
                {
                    if (operation.TryGetValue(option, out var given))
                    {
                        statement.Add(option, given);
                    }
                }

                break;
        }

        return new Operation(index, first.Name, namespaces[ns], statement);
    }

    private sealed record Operation(int Index, string Kind, (string Database, string Collection) Namespace, BsonDocument Statement);

    private sealed class Outcome
    {
        public List<BsonDocument> Results { get; } = [];

        public int Errors { get; private set; }

        public int Inserted { get; private set; }

        public int Matched { get; private set; }

        public int Modified { get; private set; }

        public int Upserted { get; private set; }

        public int Deleted { get; private set; }

        /// <summary>Adds the reply to a part; true when an operation of it failed.</summary>
        public bool Add(string kind, IReadOnlyList<Operation> part, BsonDocument reply)
        {
            var errors = reply.GetValue("writeErrors", new BsonArray()).AsBsonArray.Cast<BsonDocument>().ToDictionary(e => e["index"].ToInt32());
            var n = reply.GetValue("n", 0).ToInt32();
            var ids = reply.GetValue("upserted", new BsonArray()).AsBsonArray;
            var stopped = false;
            for (var i = 0; i < part.Count && !stopped; i++)
            {
                if (errors.TryGetValue(i, out var error))
                {
                    var failed = new BsonDocument { { "ok", 0.0 }, { "idx", part[i].Index } };
                    failed.AddRange(error.Where(f => f.Name != "index"));
                    failed["n"] = 0;
                    Results.Add(failed);
                    Errors++;
                    // What follows the error of an ordered command was not run; an unordered one tells of each.
                    stopped = kind == "insert" && errors.Count == 1 && n == i && n < part.Count - 1;
                    continue;
                }

                var done = new BsonDocument { { "ok", 1.0 }, { "idx", part[i].Index }, { "n", kind == "insert" ? 1 : n } };
                if (kind == "update")
                {
                    done.Add("nModified", reply.GetValue("nModified", 0).ToInt32());
                    if (ids.Count > 0)
                    {
                        done.Add("upserted", new BsonDocument("_id", ids[0]["_id"]));
                    }
                }

                Results.Add(done);
            }

            switch (kind)
            {
                case "insert":
                    Inserted += n;
                    break;
                case "delete":
                    Deleted += n;
                    break;
                default:
                    Upserted += ids.Count;
                    Matched += n - ids.Count;
                    Modified += reply.GetValue("nModified", 0).ToInt32();
                    break;
            }

            return errors.Count > 0;
        }
    }
}
