using System.Diagnostics;
using System.Runtime.CompilerServices;
using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Causality;
using Platform.Gateway.Commands.Arguments;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Commands.Execution;

/// <summary>
/// Runs commands on one of several members: refuses what its role does not allow, and answers when the read or write concern is met or known not to
/// be. With one member there is nothing to do; commands do not pass through here then.
/// </summary>
internal sealed class PromiseKeeper(
    ReplicaSet replicaSet, MemberState state, CommitPoint point, BackendPool pool, ClusterTimeWaiter times, TimeProvider time)
{
    // Replay gives way for a while before it ends a read; it does not do so again and again.
    private const int MostReplayConflicts = 10;

    private static readonly TimeSpan s_firstLook = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_longestLook = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether there are other members.</summary>
    public bool IsNeeded => replicaSet.Members.Count > 1;

    /// <summary>Runs a command.</summary>
    /// <param name="context">The command.</param>
    /// <param name="definition">What is known of it.</param>
    /// <param name="given">What it asks for.</param>
    /// <param name="writes">Whether it writes.</param>
    /// <param name="run">Runs it; may be called again when a read met the replay of the primary's writes.</param>
    public ValueTask<ReadOnlyMemory<byte>> RunAsync(
        CommandContext context,
        CommandDefinition definition,
        in GenericArguments given,
        bool writes,
        Func<CommandContext, CommandDefinition, ValueTask<ReadOnlyMemory<byte>>> run)
    {
        var role = state.Role;
        if (role != MemberRole.Primary)
        {
            RequireLeave(role, context, definition, given.IsSecondaryOk, writes);
        }

        var isWrite = writes && (!context.Request.InTransaction || definition.Name == "commitTransaction");
        return isWrite ? WriteAsync(context, definition, given.WriteConcern, given.MaxTime, run)
            : role == MemberRole.Primary && given.ReadConcern is { IsMajority: false, IsLinearizable: false } ? run(context, definition)
            : ReadAsync(context, definition, given.ReadConcern, given.MaxTime, run);
    }

    /// <summary>
    /// An error with the state of the member that gave it, when it is about that state: by it drivers tell what they know already. With one member it
    /// stays as it is.
    /// </summary>
    public CommandException WithTopology(CommandException error) => !IsNeeded || !ErrorLabels.IsChangeOfState(error.Code) || error.Details is not null
        ? error
        : new CommandException(error.Code, error.Message, error.Labels)
        {
            Details = new BsonDocument("topologyVersion", new BsonDocument { { "processId", state.ProcessId }, { "counter", state.Version } }),
        };

    private static void RequireLeave(MemberRole role, CommandContext context, CommandDefinition definition, bool secondaryOk, bool writes)
    {
        // What is a part of a transaction belongs to the primary; what it asks for first, or at its end, finds out that there is none.
        if (writes || definition.OnSecondary == SecondaryUse.Never || context.Request.InTransaction)
        {
            throw new CommandException(ErrorCode.NotWritablePrimary, "not primary");
        }

        if (definition.OnSecondary == SecondaryUse.WithLeave && !secondaryOk)
        {
            throw new CommandException(ErrorCode.NotPrimaryNoSecondaryOk, "not primary and secondaryOk=false");
        }

        if (definition.OnSecondary == SecondaryUse.WithLeave && role != MemberRole.Secondary)
        {
            throw new CommandException(ErrorCode.NotPrimaryOrSecondary, "node is not in primary or secondary state");
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>> ReadAsync(
        CommandContext context,
        CommandDefinition definition,
        ReadConcern concern,
        TimeSpan? maxTime,
        Func<CommandContext, CommandDefinition, ValueTask<ReadOnlyMemory<byte>>> run)
    {
        var started = Stopwatch.GetTimestamp();
        if (concern.IsLinearizable && !state.IsPrimary)
        {
            throw new CommandException(ErrorCode.NotWritablePrimary, "cannot satisfy linearizable read concern on non-primary node");
        }

        if (concern.After != 0)
        {
            using var limit = Limit(context, started, maxTime);
            await ReachAsync(context, limit);
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var reply = await run(context, definition);
                if (state.IsPrimary && !context.Request.InTransaction && (concern.IsLinearizable || (concern.IsMajority && point.IsBehind)))
                {
                    using var limit = Limit(context, started, maxTime);
                    if (!await CatchUpAsync(limit.Token))
                    {
                        throw limit.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested
                            ? new CommandException(ErrorCode.MaxTimeMSExpired, "operation exceeded time limit")
                            : new CommandException(ErrorCode.InterruptedDueToReplStateChange, "no majority confirmed what was read");
                    }
                }

                return reply;
            }
            catch (PostgresException e) when (!state.IsPrimary && !context.Request.InTransaction && SqlState.IsConflict(e.SqlState))
            {
                context.CancellationToken.ThrowIfCancellationRequested();
                if (attempt == MostReplayConflicts)
                {
                    throw new CommandException(
                        ErrorCode.InterruptedDueToReplStateChange, $"the read met the replay of the primary's writes {MostReplayConflicts} times in a row");
                }
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>> WriteAsync(
        CommandContext context,
        CommandDefinition definition,
        WriteConcern concern,
        TimeSpan? maxTime,
        Func<CommandContext, CommandDefinition, ValueTask<ReadOnlyMemory<byte>>> run)
    {
        using var acknowledgement = new Acknowledgement(concern.Commits, point, pool, time);
        context.Acknowledgement = acknowledgement;
        var limit = Shorter(concern.Limit, maxTime);
        var reply = limit > TimeSpan.Zero && concern.Commits == CommitWait.Majority
            ? await WatchedAsync(acknowledgement, limit, context, definition, run)
            : await run(context, definition);
        if (concern.Unmet is not null || concern.Commits != CommitWait.Majority)
        {
            return concern.AddUnmet(reply);
        }

        if (acknowledgement.IsUnreplicated)
        {
            return Unreplicated(reply, concern, acknowledgement, acknowledgement.IsOverdue, maxTime);
        }

        var missing = concern.Members > replicaSet.Majority ? concern.Members.Value : 0;
        var mustCatchUp = !acknowledgement.HasCommitted && point.IsBehind;
        if (missing == 0 && !mustCatchUp)
        {
            return reply;
        }

        using var patience = Limit(context, acknowledgement.Started, limit > TimeSpan.Zero ? limit : null);
        var isMet = missing > 0 ? await UntilOnAsync(missing, patience.Token) : await CatchUpAsync(patience.Token);
        return isMet ? reply
            : !state.IsPrimary
            ? throw new CommandException(ErrorCode.InterruptedDueToReplStateChange, "the member is not primary any more: no majority confirmed the write")
            : Unreplicated(reply, concern, acknowledgement, patience.IsCancellationRequested, maxTime);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> WatchedAsync(
        Acknowledgement acknowledgement,
        TimeSpan limit,
        CommandContext context,
        CommandDefinition definition,
        Func<CommandContext, CommandDefinition, ValueTask<ReadOnlyMemory<byte>>> run)
    {
        using var ended = new CancellationTokenSource();
        var watching = acknowledgement.WatchAsync(limit, ended.Token);
        try
        {
            return await run(context, definition);
        }
        finally
        {
            await ended.CancelAsync();
            await watching;
        }
    }

    private static ReadOnlyMemory<byte> Unreplicated(
        ReadOnlyMemory<byte> reply, WriteConcern concern, Acknowledgement acknowledgement, bool isOverdue, TimeSpan? maxTime) =>
        Stopwatch.GetElapsedTime(acknowledgement.Started) >= maxTime ? concern.AddTo(reply, ErrorCode.MaxTimeMSExpired, "operation exceeded time limit")
        : isOverdue ? concern.AddOverdue(reply)
        : concern.AddTo(reply, ErrorCode.Interrupted, "operation was interrupted while it waited for replication");

    private static TimeSpan Shorter(TimeSpan waitLimit, TimeSpan? maxTime) =>
        maxTime is { } most && (waitLimit == TimeSpan.Zero || most < waitLimit) ? most : waitLimit;

    /// <summary>Ends with the command, and when its time is over; null for no limit.</summary>
    private static CancellationTokenSource Limit(CommandContext context, long started, TimeSpan? limit)
    {
        var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        if (limit is { } most)
        {
            var left = most - Stopwatch.GetElapsedTime(started);
            ended.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }

        return ended;
    }

    private async ValueTask ReachAsync(CommandContext context, CancellationTokenSource limit)
    {
        try
        {
            await times.ReachAsync(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw new CommandException(ErrorCode.MaxTimeMSExpired, "operation exceeded time limit");
        }
    }

    private async ValueTask<bool> CatchUpAsync(CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(null, BackendShare.Gateway, cancellationToken);
        return await point.CatchUpAsync(lease.Connection, cancellationToken);
    }

    /// <summary>Waits until so many members have all that is on this member's disk; false when <paramref name="cancellationToken"/> was first.</summary>
    private async ValueTask<bool> UntilOnAsync(int members, CancellationToken cancellationToken)
    {
        try
        {
            await using var lease = await pool.RentAsync(null, BackendShare.Gateway, cancellationToken);
            var position = await lease.Connection.Command(Statements.FlushedTo).SingleAsync<long>(cancellationToken);
            for (var look = s_firstLook; ; look = look * 2 > s_longestLook ? s_longestLook : look * 2)
            {
                if (await lease.Connection.Command(Statements.MembersWith).With(0, position).SingleAsync<long>(cancellationToken) + 1 >= members)
                {
                    return true;
                }

                await Task.Delay(look, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
