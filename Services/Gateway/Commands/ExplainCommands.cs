using System.Text.Json;
using MongoDB.Bson;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Commands;

/// <summary>explain: PostgreSQL's plan of the engine's query, in the server's words.</summary>
internal sealed class ExplainCommands : ICommandFamily
{
    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands => [new("explain", ExplainAsync)];

    /// <summary>Explains an aggregate command that has <c>explain: true</c>.</summary>
    public static ValueTask<ReadOnlyMemory<byte>> ExplainAggregateAsync(CommandContext context)
    {
        var command = context.ToTree("explain");
        command["cursor"] = new BsonDocument();
        return RunAsync(context, "aggregate", command, run: false);
    }

    private static ValueTask<ReadOnlyMemory<byte>> ExplainAsync(CommandContext context)
    {
        if (context.Request.Command.Type != BsonType.Document)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "explain needs the command to explain.");
        }

        var inner = context.Request.Command.Document.ToTree();
        if (inner.ElementCount == 0)
        {
            throw new CommandException(ErrorCode.FailedToParse, "explain needs the command to explain.");
        }

        var verbosity = context.Request.TryGet("verbosity"u8, out var asked) ? asked.Text : "allPlansExecution";
        if (verbosity is not ("queryPlanner" or "executionStats" or "allPlansExecution"))
        {
            throw new CommandException(
                ErrorCode.BadValue, "verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}");
        }

        return RunAsync(context, inner.GetElement(0).Name, inner, verbosity != "queryPlanner");
    }

    private static async ValueTask<ReadOnlyMemory<byte>> RunAsync(CommandContext context, string name, BsonDocument command, bool run)
    {
        var kind = name switch
        {
            "find" => "find",
            "aggregate" => "pipeline",
            "count" => "count",
            "distinct" => "distinct",
            "update" => "update",
            "delete" => "delete",
            _ => throw new CommandException(ErrorCode.CommandNotSupported, $"explain of '{name}' is not supported."),
        };
        if (name == "aggregate" && !command.Contains("cursor"))
        {
            command["cursor"] = new BsonDocument();
        }

        var database = context.Request.Database;
        await using var lease = await context.RentAsync();
        var connection = lease.Connection;
        // To measure an update or delete, PostgreSQL performs it: it is undone.
        var writes = kind is "update" or "delete" && run;
        string json;
        if (writes)
        {
            await connection.RunAsync("BEGIN", context.CancellationToken);
        }

        try
        {
            using var explain = connection.Once(Statements.Explain(kind, run));
            json = await explain.With(0, database).With<ReadOnlyMemory<byte>>(1, command.ToBson()).SingleAsync<string>(context.CancellationToken)
                ?? throw new CommandException(ErrorCode.InternalError, "The engine returned no plan.");
        }
        finally
        {
            if (writes && connection.IsOpen)
            {
                await connection.RunAsync("ROLLBACK", CancellationToken.None);
            }
        }

        using var plan = JsonDocument.Parse(json);
        return Reply.With(ExplainedPlan.Describe(plan.RootElement[0], database, command, run));
    }
}
