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
    // The lock on a table is waited for only a moment each time, so that those who come after it are not held up.
    private const int MostAttempts = 25;

    // Streams are opened again and again, and collections that are made meanwhile are taken care of when they are made.
    private static readonly TimeSpan s_lasts = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_replayPatience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<ChangeScope, (DateTimeOffset At, long Generation)> _kept = new();

    /// <summary>
    /// Returns when each update of what is watched will tell what it changed. Throws <see cref="CommandException"/> when a collection stays locked.
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
        await primary.RunAsync(
            async connection =>
            {
                await connection.Command(ChangeStatements.Watch)
                    .With(0, scope.Database).With(1, scope.Collection).With(2, options.Value.ChangeStreamHistory.TotalSeconds)
                    .RunAsync(cancellationToken);
                foreach (var collection in await IdsAsync(
                    connection.Command(ChangeStatements.WithoutImages).With(0, scope.Database).With(1, scope.Collection), cancellationToken))
                {
                    await SetAsync(connection, collection, MostAttempts, cancellationToken);
                }

                written = await connection.Command(ChangeStatements.Now).SingleAsync<long>(cancellationToken);
            },
            cancellationToken);
        if (!state.IsPrimary)
        {
            await UntilReplayedAsync(written, cancellationToken);
        }

        _kept[scope] = (now, generation);
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
            await SetAsync(connection, collection, attempts: 1, cancellationToken);
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

    private static async ValueTask SetAsync(BackendConnection connection, long collection, int attempts, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await connection.Command(ChangeStatements.SetImages).With(0, collection).RunAsync(cancellationToken);
                return;
            }
            catch (PostgresException e) when (e.SqlState is SqlState.LockNotAvailable or SqlState.Deadlock)
            {
                if (attempt == attempts)
                {
                    if (attempts == 1)
                    {
                        // There is no hurry to end it; the next round tries again.
                        return;
                    }

                    throw new CommandException(
                        ErrorCode.LockTimeout, "The collection cannot be watched yet: a transaction has been holding it for too long.");
                }
            }
        }
    }
}
