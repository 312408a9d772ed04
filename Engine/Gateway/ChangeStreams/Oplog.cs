using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// The changes of this member, decoded once for all streams and only while there are any. A stream that looks for what is no longer in memory reads WAL for
/// itself until it has caught up.
/// </summary>
internal sealed partial class Oplog(
    ChangeHistory history,
    WatchedImages images,
    BackendPool pool,
    ReplicaSet replicaSet,
    MemberState state,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<Oplog> logger) : IAsyncDisposable
{
    // What one stream that catches up may have in memory, and how many may do so at once.
    private const int CatchUpBytes = 4 << 20;
    private const int MostCatchUps = 4;

    private static readonly TimeSpan s_durablePause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_longestDurablePause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_durablePatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_linger = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _gate = new(1);
    private readonly SemaphoreSlim _catchUps = new(MostCatchUps);
    private readonly Dictionary<ChangeScope, int> _watched = [];
    private readonly HashSet<ChangeStream> _streams = [];
    private int _catchUpsWanted;
    private Live? _live;
    private DateTimeOffset _unwatchedSince;

    private sealed record Live(ChangeFeed Feed, ulong Begin, long Since, long Generation) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _ended = new();

        public Task Publishing { get; private set; } = Task.CompletedTask;

        public void Publish(Func<ChangeFeed, CancellationToken, Task> publish) => Publishing = publish(Feed, _ended.Token);

        public async ValueTask DisposeAsync()
        {
            await _ended.CancelAsync();
            // First who waits for more: a semaphore that is disposed of meanwhile forgets its waiters, who then wait for ever.
            await Publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Feed.DisposeAsync();
            _ended.Dispose();
        }
    }

    /// <summary>How many streams are open.</summary>
    public int Streams
    {
        get
        {
            lock (_watched)
            {
                return _watched.Values.Sum();
            }
        }
    }

    /// <summary>Whether a stream waits for its turn to read WAL.</summary>
    public bool IsCatchUpWanted => Volatile.Read(ref _catchUpsWanted) > 0;

    /// <summary>Opens a stream. Throws <see cref="CommandException"/> when it cannot begin where it should.</summary>
    public async ValueTask<ChangeStream> OpenAsync(
        ChangeScope scope, ChangeStreamOptions asked, ChangeStreamPipeline? pipeline, CancellationToken cancellationToken)
    {
        await history.PrepareAsync(cancellationToken);
        lock (_watched)
        {
            _watched[scope] = _watched.GetValueOrDefault(scope) + 1;
        }

        ChangeStream? stream = null;
        try
        {
            await images.KeepAsync(scope, again: false, cancellationToken);
            var live = await LiveAsync(cancellationToken);
            var start = asked.Resume is { } token ? PositionOf(token)
                : asked.StartAt is { } at ? await PositionAtAsync(live, at, cancellationToken)
                : new ChangePosition(await UntilDurableAsync(live.Begin, cancellationToken), 0);
            stream = new ChangeStream(this, scope, asked, pipeline, start, history.Cluster);
            lock (_watched)
            {
                _streams.Add(stream);
            }

            // A place that is gone is heard of now, not with the first page.
            await stream.StartAsync(cancellationToken);
            return stream;
        }
        catch
        {
            if (stream is null)
            {
                Release(null, scope);
            }

            stream?.Close();
            throw;
        }
    }

    /// <summary>A stream was closed.</summary>
    public void Release(ChangeStream? stream, ChangeScope scope)
    {
        lock (_watched)
        {
            if (stream is not null)
            {
                _streams.Remove(stream);
            }

            if (--_watched[scope] == 0)
            {
                _watched.Remove(scope);
            }

            _unwatchedSince = time.GetUtcNow();
        }
    }

    /// <summary>The log of the present.</summary>
    public async ValueTask<ChangeLog> PresentAsync(CancellationToken cancellationToken) => (await LiveAsync(cancellationToken)).Feed.Log;

    /// <summary>Begins to read WAL from a place for one stream; dispose it when it has caught up.</summary>
    public async ValueTask<CatchUp> CatchUpAsync(ChangePosition from, CancellationToken cancellationToken)
    {
        await EnterCatchUpAsync(cancellationToken);
        try
        {
            var stream = await history.StreamAsync(from.Commit, cancellationToken);
            try
            {
                var live = _live;
                var catalogue = live is not null && from.Commit >= live.Begin ? live.Feed.CatalogueAt(from.Commit) : null;
                catalogue ??= await history.CatalogueAtAsync(from.Commit, cancellationToken);
                var log = new ChangeLog(from, CatchUpBytes);
                return new CatchUp(new ChangeFeed(stream, new ChangeDecoder(catalogue), log, waits: true, publishes: static () => true), _catchUps);
            }
            catch
            {
                await stream.DisposeAsync();
                throw;
            }
        }
        catch
        {
            _catchUps.Release();
            throw;
        }
    }

    /// <summary>Renews what streams that are open need, and ends what nobody needs any more.</summary>
    public async ValueTask SweepAsync(CancellationToken cancellationToken)
    {
        List<ChangeScope> scopes;
        lock (_watched)
        {
            scopes = [.. _watched.Keys];
        }

        foreach (var scope in scopes)
        {
            await images.KeepAsync(scope, again: true, cancellationToken);
        }

        if (state.IsPrimary)
        {
            await images.ReleaseAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Ends what was begun before this member became primary or ceased to be: what may be seen is another matter then. Streams are told to begin
    /// anew behind their last event.
    /// </summary>
    public async ValueTask ChangeRoleAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_live is { } live && live.Generation != state.Generation)
            {
                _live = null;
                await live.DisposeAsync();
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Stops decoding when nobody has watched for a while.</summary>
    public async ValueTask RestAsync(CancellationToken cancellationToken)
    {
        if (_live is null || Streams > 0 || _unwatchedSince + s_linger > time.GetUtcNow())
        {
            return;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (Streams == 0 && _live is { } live)
            {
                _live = null;
                await live.DisposeAsync();
                LogRests();
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_live is { } live)
        {
            _live = null;
            await live.DisposeAsync();
        }

        _gate.Dispose();
        _catchUps.Dispose();
    }

    /// <summary>
    /// Waits for a turn to read WAL. Who has one and is not being read gives it up: its client may come back in minutes, or never.
    /// </summary>
    private async ValueTask EnterCatchUpAsync(CancellationToken cancellationToken)
    {
        if (_catchUps.Wait(0, CancellationToken.None))
        {
            return;
        }

        // Counted before it is looked, so that a stream whose reading ends meanwhile gives up its turn by itself.
        Interlocked.Increment(ref _catchUpsWanted);
        try
        {
            List<ChangeStream> streams;
            lock (_watched)
            {
                streams = [.. _streams];
            }

            foreach (var stream in streams.OrderBy(s => s.UsedAt))
            {
                if (await stream.TrySuspendAsync())
                {
                    break;
                }
            }

            await _catchUps.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _catchUpsWanted);
        }
    }

    private ChangePosition PositionOf(ResumeToken token) => token.Cluster == history.Cluster
        ? token.Position
        : throw ChangeHistory.Lost("the resume token is that of another replica set");

    private async ValueTask<ChangePosition> PositionAtAsync(Live live, long at, CancellationToken cancellationToken)
    {
        var microseconds = ((long)((ulong)at >> 32) * 1_000_000) + Math.Max((uint)at - 1L, 0);
        return live.Since < microseconds && live.Feed.Log.Forgotten < microseconds
            ? new ChangePosition(live.Begin, 0) is var begin && live.Feed.Log.Start.CompareTo(begin) > 0 ? live.Feed.Log.Start : begin
            : new ChangePosition(await history.PlaceOfAsync(microseconds, cancellationToken), 0);
    }

    private async ValueTask<Live> LiveAsync(CancellationToken cancellationToken)
    {
        if (_live is { Feed.Log.Failure: null } ready && ready.Generation == state.Generation)
        {
            return ready;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_live is { Feed.Log.Failure: null } made && made.Generation == state.Generation)
            {
                return made;
            }

            if (_live is { } ended)
            {
                LogEnded(ended.Feed.Log.Failure?.Message ?? "the member's role has changed");
                _live = null;
                await ended.DisposeAsync();
            }

            return _live = await BeginAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Begins to decode the present. The list of collections is read after the place where decoding begins, so rows of the catalogue may be taken in twice,
    /// and changes before the place where streams begin may have newer names: nobody sees these.
    /// </summary>
    private async ValueTask<Live> BeginAsync(CancellationToken cancellationToken)
    {
        var generation = state.Generation;
        // A secondary has only what a majority has: it gets WAL when the primary has it, and whoever is elected has all that any voter has.
        var isDurable = replicaSet.Members.Count == 1 || !state.IsPrimary;
        try
        {
            var stream = await history.StreamAsync(cancellationToken);
            try
            {
                var catalogue = await history.CatalogueAsync(cancellationToken);
                var begin = await history.NowAsync(cancellationToken);
                var since = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
                var log = new ChangeLog(new ChangePosition(begin, 0), (long)options.Value.ChangeStreamBufferMegabytes << 20);
                LogBegins();
                var feed = new ChangeFeed(
                    stream, new ChangeDecoder(catalogue), log, waits: false, publishes: isDurable ? () => state.Generation == generation : null);
                var live = new Live(feed, begin, since, generation);
                if (!isDurable)
                {
                    live.Publish(PublishAsync);
                }

                try
                {
                    await UntilDurableAsync(begin, cancellationToken);
                    return live;
                }
                catch
                {
                    await live.DisposeAsync();
                    throw;
                }
            }
            catch
            {
                await stream.DisposeAsync();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or TimeoutException)
        {
            throw Interrupted(e);
        }
    }

    /// <summary>Lets what the primary has read be seen when so many members have it that no election can undo it.</summary>
    private async Task PublishAsync(ChangeFeed feed, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await feed.Grown.WaitAsync(cancellationToken);
                var (before, end) = feed.Handed;
                ulong? written = null;
                var pause = s_durablePause;
                await using var lease = await pool.RentAsync(cancellationToken);
                while (true)
                {
                    var (flushed, durable) = await DurableAsync(lease.Connection, cancellationToken);
                    // All that was handed over was written by then.
                    written ??= flushed;
                    if (durable >= written)
                    {
                        break;
                    }

                    await Task.Delay(pause, cancellationToken);
                    pause = pause < s_longestDurablePause ? pause * 2 : pause;
                }

                feed.Log.Publish(before, end, forgets: true);
            }
        }
#pragma warning disable CA1031 // Whatever ended it, the streams that wait have to hear of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            feed.Log.Fail(e);
        }
    }

    /// <summary>
    /// How far WAL can no longer be undone, after waiting until that is a place. A stream that begins further on, on a primary that nobody follows,
    /// would go on behind what the next primary writes there.
    /// </summary>
    private async ValueTask<ulong> UntilDurableAsync(ulong place, CancellationToken cancellationToken)
    {
        if (replicaSet.Members.Count == 1 || !state.IsPrimary)
        {
            return await history.NowAsync(cancellationToken);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_durablePatience);
        await using var lease = await pool.RentAsync(cancellationToken);
        try
        {
            while (true)
            {
                var (_, durable) = await DurableAsync(lease.Connection, patience.Token);
                if (durable >= place)
                {
                    return durable;
                }

                await Task.Delay(s_durablePause, patience.Token);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Interrupted(e);
        }
    }

    private async ValueTask<(ulong Flushed, ulong Durable)> DurableAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        await using var reader = await connection.Command(ChangeStatements.Durable).With(0, (long)replicaSet.Majority - 2).ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? ((ulong)reader.GetInt64(0), reader.IsDBNull(1) ? 0 : (ulong)reader.GetInt64(1))
            : (0, 0);
    }

    /// <summary>The error of a stream whose member has lost PostgreSQL: it may be opened again behind the last event.</summary>
    public static CommandException Interrupted(Exception reason) => new(
        ErrorCode.InterruptedDueToReplStateChange, $"The change stream was interrupted: {reason.Message}", ErrorLabels.ResumableChangeStream);

    [LoggerMessage(LogLevel.Information, "Changes are being decoded, since somebody watches")]
    private partial void LogBegins();

    [LoggerMessage(LogLevel.Information, "Changes are no longer decoded, since nobody watches")]
    private partial void LogRests();

    [LoggerMessage(LogLevel.Warning, "Decoding changes was interrupted and begins anew: {Reason}")]
    private partial void LogEnded(string reason);
}
