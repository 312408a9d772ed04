using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// Sees to it that WAL has the documents before an update where updates are watched, and for as long afterwards as streams may begin in the past; and has
/// it no more where nobody does, since it costs as much WAL again.
/// </summary>
internal sealed class WatchedImages(BackendPool pool, PrimaryBackend primary, MemberState state, IOptions<GatewayOptions> options, TimeProvider time)
{
    // The lock on a table is waited for only a moment each time, so that those who come after it are not held up; and so often for all tables together.
    private const int MostAttempts = 5;

    // Streams are opened again and again, and collections that are made meanwhile are taken care of when they are made.
    private static readonly TimeSpan s_lasts = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_replayPatience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<ChangeScope, (DateTimeOffset At, long Generation)> _kept = new();
    private readonly ConcurrentDictionary<ChangeScope, bool> _locked = new();

    private TaskCompletionSource _incomplete = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when there is a collection that a transaction was holding when it should have been taken care of.</summary>
    public Task Incomplete => Volatile.Read(ref _incomplete).Task;

    /// <summary>
    /// Returns when each update of what is watched will tell what it changed. A collection that a transaction is holding is not waited for: its updates are
    /// told as replacements until <see cref="CompleteAsync"/> has found it free.
    /// </summary>
    /// <param name="scope">What is watched.</param>
    /// <param name="again">Whether to do so although it was done a moment ago.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async ValueTask KeepAsync(ChangeScope scope, bool again, CancellationToken cancellationToken)
    {
        var generation = state.Generation;
        var now = time.GetUtcNow();
        if (!again && _kept.TryGetValue(scope, out var kept) && kept.Generation == generation && kept.At + s_lasts > now)
        {
            return;
        }

        var written = 0L;
        var attempts = MostAttempts;
        var isComplete = true;
        await primary.RunAsync(
            async connection =>
            {
                await connection.Command(ChangeStatements.Watch)
                    .With(0, scope.Database).With(1, scope.Collection).With(2, options.Value.ChangeStreamHistory.TotalSeconds)
                    .RunAsync(cancellationToken);
                foreach (var collection in await IdsAsync(
                    connection.Command(ChangeStatements.WithoutImages).With(0, scope.Database).With(1, scope.Collection), cancellationToken))
                {
                    bool isSet;
                    while (!(isSet = await TrySetAsync(connection, collection, cancellationToken)) && --attempts > 0)
                    {
                    }

                    isComplete &= isSet;
                }

                written = await connection.Command(ChangeStatements.Now).SingleAsync<long>(cancellationToken);
            },
            cancellationToken);
        if (!state.IsPrimary)
        {
            await UntilReplayedAsync(written, cancellationToken);
        }

        _kept[scope] = (now, generation);
        if (isComplete)
        {
            _locked.TryRemove(scope, out _);
        }
        else
        {
            _locked[scope] = true;
            Volatile.Read(ref _incomplete).TrySetResult();
        }
    }

    /// <summary>Tries again what could not be done because a transaction was holding a collection.</summary>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_locked.IsEmpty)
        {
            return;
        }

        // Taken anew before it is looked, so that what is found locked, or is locked meanwhile, brings the next round.
        Volatile.Write(ref _incomplete, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        foreach (var scope in _locked.Keys)
        {
            await KeepAsync(scope, again: true, cancellationToken);
        }
    }

    /// <summary>Waits until this member has what the primary had written.</summary>
    private async ValueTask UntilReplayedAsync(long written, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_replayPatience);
        await using var lease = await pool.RentAsync(cancellationToken);
        try
        {
            while (await lease.Connection.Command(ChangeStatements.Now).SingleAsync<long>(patience.Token) < written)
            {
                await Task.Delay(s_pause, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(
                ErrorCode.ExceededTimeLimit, "The member is too far behind the primary to open a change stream.", ErrorLabels.ResumableChangeStream);
        }
    }

    /// <summary>Ends it for what nobody watches any more.</summary>
    public async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        foreach (var (scope, kept) in _kept)
        {
            if (kept.At + s_lasts < time.GetUtcNow())
            {
                _kept.TryRemove(KeyValuePair.Create(scope, kept));
            }
        }

        await using var lease = await pool.RentAsync(cancellationToken);
        var connection = lease.Connection;
        await connection.Command(ChangeStatements.ForgetWatched).RunAsync(cancellationToken);
        foreach (var collection in await IdsAsync(connection.Command(ChangeStatements.Unwatched), cancellationToken))
        {
            // There is no hurry to end it; the next round tries again.
            await TrySetAsync(connection, collection, cancellationToken);
        }
    }

    private static async ValueTask<List<long>> IdsAsync(BackendCommand command, CancellationToken cancellationToken)
    {
        var ids = new List<long>();
        await using var reader = await command.ReadAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add(reader.GetInt64(0));
        }

        return ids;
    }

    /// <summary>Has WAL have the documents of a collection or not, as is wanted. False when a transaction holds it.</summary>
    private static async ValueTask<bool> TrySetAsync(BackendConnection connection, long collection, CancellationToken cancellationToken)
    {
        try
        {
            await connection.Command(ChangeStatements.SetImages).With(0, collection).RunAsync(cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is SqlState.LockNotAvailable or SqlState.Deadlock)
        {
            return false;
        }
    }
}
