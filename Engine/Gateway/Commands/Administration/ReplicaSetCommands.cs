using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authorization;
using Platform.Gateway.Errors;
using Platform.Gateway.Replication;
using Platform.Gateway.Requests;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Administration;

/// <summary>Commands about the replica set as such.</summary>
internal sealed class ReplicaSetCommands(ReplicaSetStatus status, MemberState state, MemberService service) : ICommandFamily
{
    private const int DefaultPeriod = 60;
    private const int DefaultCatchUp = 10;

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("replSetGetStatus", CommandAccess.Cluster(AccessAction.ReplSetGetStatus), _ => ValueTask.FromResult(Reply.With(status.Status()))),
        new(
            "replSetGetConfig", CommandAccess.Cluster(AccessAction.ReplSetGetConfig),
            _ => ValueTask.FromResult(Reply.With(new BsonDocument("config", status.Configuration())))),
        new("replSetStepDown", CommandAccess.Cluster(AccessAction.ReplSetStateChange), StepDownAsync),
        new("replSetFreeze", CommandAccess.Cluster(AccessAction.ReplSetStateChange), Freeze),
        new(
            "replSetInitiate", CommandAccess.Cluster(AccessAction.ReplSetConfigure),
            static _ => throw new CommandException((ErrorCode)23, "already initialized")),
        new(
            "replSetReconfig",
            CommandAccess.Cluster(AccessAction.ReplSetConfigure),
            static _ => throw new CommandException(
                ErrorCode.CommandNotSupported, "The members of this replica set are named in its settings; replSetReconfig cannot change them.")),
    ];

    /// <summary>An aggregation over <c>local.system.replset</c> as one over the configuration, which the backend does not keep.</summary>
    public static RawDocument AggregateConfiguration(CommandContext context, ReplicaSetStatus status)
    {
        if (Pipelines.Writes(context.Request.Body))
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "local.system.replset cannot be stored by $out or $merge.");
        }

        var command = context.ToTree();
        command["aggregate"] = 1;
        command["pipeline"] = new BsonArray(CurrentOperations.Stages([status.Configuration()]).Concat(command["pipeline"].AsBsonArray));
        return new RawDocument(command.ToBson());
    }

    /// <summary>The same for a find.</summary>
    public static RawDocument FindConfiguration(CommandContext context, ReplicaSetStatus status)
    {
        var find = context.ToTree();
        var stages = CurrentOperations.Stages([status.Configuration()]).ToList();
        foreach (var (option, stage) in ((string, string)[])[
            ("filter", "$match"), ("sort", "$sort"), ("skip", "$skip"), ("limit", "$limit"), ("projection", "$project")])
        {
            if (find.TryGetValue(option, out var value) && value is not (BsonDocument { ElementCount: 0 } or BsonInt32 { Value: 0 } or BsonInt64 { Value: 0 }))
            {
                stages.Add(new BsonDocument(stage, value));
            }
        }

        return new RawDocument(new BsonDocument
        {
            { "aggregate", 1 }, { "pipeline", new BsonArray(stages) }, { "cursor", new BsonDocument() }, { "$db", "local" },
        }.ToBson());
    }

    private async ValueTask<ReadOnlyMemory<byte>> StepDownAsync(CommandContext context)
    {
        var period = Seconds(context.Request.Command, "replSetStepDown", DefaultPeriod);
        var isForced = context.Request.TryGet("force"u8, out var force) && force.Truthy;
        var catchUp = context.Request.TryGet("secondaryCatchUpPeriodSecs"u8, out var given)
            ? Seconds(given, "secondaryCatchUpPeriodSecs", DefaultCatchUp)
            : TimeSpan.FromSeconds(isForced ? 0 : Math.Min(DefaultCatchUp, period.TotalSeconds));
        if (catchUp > period)
        {
            throw new CommandException(ErrorCode.BadValue, "stepdown period must be longer than secondaryCatchUpPeriodSecs");
        }

        if (!state.IsPrimary)
        {
            throw new CommandException(ErrorCode.NotWritablePrimary, "not primary so can't step down");
        }

        if (!await service.StepDownAsync(period, catchUp, isForced, context.CancellationToken))
        {
            throw new CommandException(
                ErrorCode.ExceededTimeLimit,
                "No electable secondaries caught up. Please use the replSetStepDown command with the argument {force: true} to force node to step down.");
        }

        return Reply.Ok;
    }

    private ValueTask<ReadOnlyMemory<byte>> Freeze(CommandContext context)
    {
        if (state.IsPrimary)
        {
            throw new CommandException((ErrorCode)95, "cannot freeze node when primary or running for election. state: Primary");
        }

        service.Freeze(Seconds(context.Request.Command, "replSetFreeze", 0));
        return ValueTask.FromResult(Reply.Ok);
    }

    private static TimeSpan Seconds(in RawElement field, string name, int byDefault) => field.Integer switch
    {
        { } seconds and >= 0 and <= int.MaxValue / 1000 => TimeSpan.FromSeconds(seconds is 0 && name == "replSetStepDown" ? byDefault : seconds),
        { } seconds => throw new CommandException(ErrorCode.BadValue, $"{name} must be a number of seconds that is not negative, but is {seconds}"),
        null => field.Type == BsonType.Boolean
            ? TimeSpan.FromSeconds(byDefault)
            : throw new CommandException(ErrorCode.TypeMismatch, $"{name} must be a number of seconds"),
    };
}
