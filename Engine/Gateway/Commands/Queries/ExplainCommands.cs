using System.Globalization;
using System.Text.Json;
using MongoDB.Bson;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Corrections;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Profiling;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Queries;

/// <summary>explain: PostgreSQL's plan of the backend's query, in the server's words.</summary>
internal sealed class ExplainCommands : ICommandFamily
{
    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands => [new("explain", QueryAccess.Explain, ExplainAsync)];

    /// <summary>Explains an aggregate command that has <c>explain: true</c>.</summary>
    public static ValueTask<ReadOnlyMemory<byte>> ExplainAggregateAsync(CommandContext context)
    {
        return RunAsync(context, context.Request.Body, run: false);
    }

    /// <summary>How a command finds its documents, as the profile tells it; null when it has no plan.</summary>
    /// <remarks>
    /// Asked in a transaction that cannot write, and of writes only how their documents are found. A command that takes longer than is waited for, or
    /// whose plan is another when it ends early, is not counted.
    /// </remarks>
    public static async ValueTask<ProfiledPlan?> ProfileAsync(
        BackendConnection connection, string database, BsonDocument command, PlanMeasure? measure, CancellationToken cancellationToken)
    {
        if (Explained(new RawDocument(command.ToRaw())) is not (var given, { } asked, _))
        {
            return null;
        }

        var (kind, query, isAll) = Reading(given, asked);
        await connection.RunAsync("BEGIN READ ONLY", cancellationToken);
        try
        {
            using var planned = await PlanAsync(connection, database, kind, query, run: false, cancellationToken);
            var plan = planned.RootElement[0];
            var examined = measure is null || !isAll ? null : await CountAsync(connection, database, kind, query, plan, measure, cancellationToken);
            return new ProfiledPlan(ExplainedPlan.Summarize(plan, query), ExplainedPlan.Sorts(plan, query), examined);
        }
        finally
        {
            if (connection.IsOpen)
            {
                await connection.RunAsync("ROLLBACK", CancellationToken.None);
            }
        }
    }

    private static ValueTask<ReadOnlyMemory<byte>> ExplainAsync(CommandContext context)
    {
        if (context.Request.Command.Type != BsonType.Document)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "explain needs the command to explain.");
        }

        var inner = context.Request.Command.Document;
        if (inner.Count() == 0)
        {
            throw new CommandException(ErrorCode.FailedToParse, "explain needs the command to explain.");
        }

        var verbosity = context.Request.TryGet("verbosity"u8, out var asked) ? asked.Text : "allPlansExecution";
        if (verbosity is not ("queryPlanner" or "executionStats" or "allPlansExecution"))
        {
            throw new CommandException(
                ErrorCode.BadValue, "verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}");
        }

        return RunAsync(context, inner, verbosity != "queryPlanner");
    }

    private static async ValueTask<ReadOnlyMemory<byte>> RunAsync(CommandContext context, RawDocument command, bool run)
    {
        var database = context.Request.Database;
        var given = command.ToTree();
        given.Remove("explain");
        if (Explained(command) is not (var kind, { } query, var write))
        {
            throw new CommandException(ErrorCode.CommandNotSupported, $"explain of '{given.GetElement(0).Name}' is not supported.");
        }

        await using var lease = await context.RentAsync();
        using var planned = await PlanAsync(lease.Connection, database, kind, query, run: false, context.CancellationToken);
        using var measured = run ? await MeasureAsync(lease.Connection, database, kind, query, context.CancellationToken) : null;
        return Reply.With(ExplainedPlan.Describe((measured ?? planned).RootElement[0], planned.RootElement[0], database, given, write, run));
    }

    /// <summary>What the backend explains in place of a command: its kind, the query, and the stage of a write above it.</summary>
    /// <remarks>
    /// The backend's planner writes for <c>$out</c> and <c>$merge</c>, so it never sees them: what is explained is how their documents are found.
    /// </remarks>
    private static (string Kind, BsonDocument? Query, string? Write)? Explained(RawDocument given)
    {
        var output = OutputStage.Of(given);
        var command = CommandCorrections.Command(given).ToTree();
        if (command.ElementCount == 0)
        {
            return null;
        }

        if (output is not null)
        {
            var reads = new BsonBuilder().Add("pipeline"u8, BsonType.Array, PipelineCorrection.Pipeline(output.Reads).Bytes.Span).Finish();
            command["pipeline"] = new RawDocument(reads).ToTree()[0];
        }

        foreach (var noQuery in (ReadOnlySpan<string>)
        [
            "explain", "writeConcern", "bypassDocumentValidation", "lsid", "$clusterTime", "txnNumber", "autocommit", "startTransaction",
            "$readPreference", "comment",
        ])
        {
            command.Remove(noQuery);
        }

        if (command[0] is BsonString { Value: SystemProfile.Name })
        {
            command[0] = SystemProfile.Stored;
        }

        switch (command.GetElement(0).Name)
        {
            case "find":
                return ("find", command, null);
            case "aggregate":
                if (!command.Contains("cursor"))
                {
                    command["cursor"] = new BsonDocument();
                }

                return ("pipeline", command, null);
            case "count":
                return ("count", command, null);
            case "distinct":
                return ("distinct", command, null);
            case "update" when command.TryGetValue("updates", out var updates) && updates is BsonArray { Count: > 0 }:
                return ("update", command, "UPDATE");
            case "delete" when command.TryGetValue("deletes", out var deletes) && deletes is BsonArray { Count: > 0 }:
                return ("delete", command, "DELETE");
            case "findAndModify" or "findandmodify":
                // The backend has no plan for it as a whole; how the document is found is what an index can help.
                var find = new BsonDocument { { "find", command[0] }, { "filter", command.GetValue("query", new BsonDocument()) }, { "limit", 1 } };
                foreach (var option in (ReadOnlySpan<string>)["sort", "let", "$db"])
                {
                    if (command.TryGetValue(option, out var value))
                    {
                        find[option] = value;
                    }
                }

                return ("find", find, command.TryGetValue("remove", out var remove) && remove.ToBoolean() ? "DELETE" : "UPDATE");
            default:
                return null;
        }
    }

    /// <summary>What is read to find the documents of a command, and whether that is all which the command reads.</summary>
    private static (string Kind, BsonDocument Query, bool IsAll) Reading(string kind, BsonDocument command)
    {
        if (kind is not ("update" or "delete"))
        {
            return (kind, command, true);
        }

        var statements = command[kind == "update" ? "updates" : "deletes"].AsBsonArray;
        var first = statements[0].AsBsonDocument;
        var find = new BsonDocument { { "find", command[0] }, { "filter", first.GetValue("q", new BsonDocument()) } };
        if (kind == "update" ? !first.GetValue("multi", false).ToBoolean() : first.GetValue("limit", 0).ToInt64() == 1)
        {
            find.Add("limit", 1);
        }

        foreach (var (from, option) in ((BsonDocument, string)[])[(first, "collation"), (first, "hint"), (command, "let"), (command, "$db")])
        {
            if (from.TryGetValue(option, out var value))
            {
                find.Add(option, value);
            }
        }

        return ("find", find, statements.Count == 1);
    }

    private static async ValueTask<(long Keys, long Documents)?> CountAsync(
        BackendConnection connection, string database, string kind, BsonDocument query, JsonElement planned, PlanMeasure measure,
        CancellationToken cancellationToken)
    {
        var limited = query;
        if (measure.AtMost is { } most)
        {
            limited = (BsonDocument)query.DeepClone();
            if (kind == "pipeline")
            {
                limited["pipeline"].AsBsonArray.Add(new BsonDocument("$limit", most));
            }
            else if (kind == "find" && limited.GetValue("limit", 0).ToInt64() == 0)
            {
                limited["limit"] = most;
            }
        }

        try
        {
            await connection.RunAsync(MeasuredIndexDetails.LeaveOut, cancellationToken);
            await connection.RunAsync(
                string.Create(CultureInfo.InvariantCulture, $"SET LOCAL statement_timeout = {measure.Patience.TotalMilliseconds:0}"), cancellationToken);
            using var measured = await PlanAsync(connection, database, kind, limited, run: true, cancellationToken);
            return ExplainedPlan.Examined(measured.RootElement[0], planned, query);
        }
        catch (PostgresException e) when (e.SqlState == SqlState.QueryCanceled && !cancellationToken.IsCancellationRequested)
        {
            // It takes too long to be counted.
            return null;
        }
    }

    private static async ValueTask<JsonDocument> MeasureAsync(
        BackendConnection connection, string database, string kind, BsonDocument query, CancellationToken cancellationToken)
    {
        // To measure an update or delete, PostgreSQL performs it: it is undone.
        await connection.RunAsync("BEGIN", cancellationToken);
        try
        {
            await connection.RunAsync(MeasuredIndexDetails.LeaveOut, cancellationToken);
            return await PlanAsync(connection, database, kind, query, run: true, cancellationToken);
        }
        finally
        {
            if (connection.IsOpen)
            {
                await connection.RunAsync("ROLLBACK", CancellationToken.None);
            }
        }
    }

    private static async ValueTask<JsonDocument> PlanAsync(
        BackendConnection connection, string database, string kind, BsonDocument query, bool run, CancellationToken cancellationToken)
    {
        var explain = connection.Once(Statements.Explain(kind, run));
        var json = await explain.With(0, database).With<ReadOnlyMemory<byte>>(1, query.ToRaw()).SingleAsync<string>(cancellationToken)
            ?? throw new CommandException(ErrorCode.InternalError, "The backend returned no plan.");
        return JsonDocument.Parse(json);
    }
}
