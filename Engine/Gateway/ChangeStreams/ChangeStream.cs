using System.Diagnostics;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>One stream of events for one client. It holds a place in the log and nothing else, so a client that does not read costs nothing.</summary>
internal sealed class ChangeStream(
    Oplog oplog, ChangeScope scope, ChangeStreamOptions options, ChangeStreamPipeline? pipeline, ChangePosition start, uint cluster)
{
    private const int MostAtOnce = 1000;

    // Events with all their images are up to about three times as large as what they are made from, and a reply holds 48 MB.
    private const int MostBytes = 4 << 20;

    private static readonly ChangeScope s_everything = new("", "");

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private ChangePosition _position = start;
    private CatchUp? _catchUp;
    private ChangeLog? _log;
    private ulong _end;
    private bool _isInvalid;
    private bool _isClosed;
    private bool _isUsed;
    private long _usedAt;

    /// <summary>Behind everything that has been looked at.</summary>
    public ResumeToken Token => new(cluster, _position, _isInvalid);

    /// <summary>When it was last read.</summary>
    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>Looks whether it can begin where it should.</summary>
    /// <exception cref="CommandException">It cannot.</exception>
    public ValueTask<ChangeLog> StartAsync(CancellationToken cancellationToken) => UseAsync(() => AttachAsync(cancellationToken));

    /// <summary>
    /// Gives up reading WAL for itself, unless it is being read; with its next page it begins again where it is. Returns whether it did.
    /// </summary>
    public async ValueTask<bool> TrySuspendAsync()
    {
        CatchUp? catchUp;
        lock (_gate)
        {
            if (_isUsed || _catchUp is null)
            {
                return false;
            }

            (catchUp, _catchUp, _log) = (_catchUp, null, null);
        }

        await catchUp.DisposeAsync();
        return true;
    }

    /// <summary>Reads the next events.</summary>
    /// <param name="rent">Lends a connection that acts as who watches.</param>
    /// <param name="most">How many events at most.</param>
    /// <param name="patience">How long to wait for the first one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CommandException">The stream cannot go on.</exception>
    public ValueTask<ChangeBatch> NextAsync(Func<ValueTask<BackendLease>> rent, int most, TimeSpan patience, CancellationToken cancellationToken) =>
        UseAsync(() => ReadAsync(rent, most, patience, cancellationToken));

    private async ValueTask<T> UseAsync<T>(Func<ValueTask<T>> use)
    {
        lock (_gate)
        {
            _isUsed = true;
        }

        try
        {
            return await use();
        }
        finally
        {
            lock (_gate)
            {
                (_isUsed, _usedAt) = (false, Stopwatch.GetTimestamp());
            }

            if (oplog.IsCatchUpWanted)
            {
                await TrySuspendAsync();
            }
        }
    }

    private async ValueTask<ChangeBatch> ReadAsync(
        Func<ValueTask<BackendLease>> rent, int most, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waits = patience > TimeSpan.Zero;
        if (waits)
        {
            limit.CancelAfter(patience);
        }

        var changes = new List<Change>();
        var waited = TimeSpan.Zero;
        while (true)
        {
            var log = await AttachAsync(cancellationToken);
            changes.Clear();
            if (!log.TryRead(_position, changes, Math.Min(most, MostAtOnce), MostBytes, out var end))
            {
                // It has fallen behind.
                _log = null;
                continue;
            }

            if (_catchUp is not null)
            {
                Limit(changes, ref end);
            }

            var (events, isWhole) = await EventsAsync(changes, rent, cancellationToken);
            end = isWhole ? end : null;
            if (end is { } seen && !_isInvalid && seen > _position.Commit)
            {
                _position = new ChangePosition(seen, 0);
            }

            _catchUp?.Log.Release(_position);
            if (events.Count > 0 || _isInvalid)
            {
                return new ChangeBatch(events, Token, _isInvalid, waited);
            }

            if (end is null && !limit.IsCancellationRequested)
            {
                continue;
            }

            if (log.Failure is { } failure)
            {
                throw _isClosed ? Killed() : Oplog.Interrupted(failure);
            }

            if (!waits || limit.IsCancellationRequested)
            {
                cancellationToken.ThrowIfCancellationRequested();
                return new ChangeBatch([], Token, IsLast: false, waited);
            }

            var started = Stopwatch.GetTimestamp();
            // WAL that it reads for itself is read on only when it has looked at what is there.
            await Task.WhenAny(log.WhenChanged(_position, _catchUp is null ? scope : s_everything, limit.Token), _closed.Task);
            waited += Stopwatch.GetElapsedTime(started);
            if (_isClosed)
            {
                await limit.CancelAsync();
                throw Killed();
            }
        }
    }

    /// <summary>Finds where to read on: in the log of the present, or, while that does not reach back so far, in WAL.</summary>
    private async ValueTask<ChangeLog> AttachAsync(CancellationToken cancellationToken)
    {
        if (_log is { } log && (_catchUp is null || log.Failure is not null))
        {
            return log;
        }

        var present = await oplog.PresentAsync(cancellationToken);
        _end = present.End;
        if (_position.CompareTo(present.Start) >= 0)
        {
            await DetachAsync();
            return _log = present;
        }

        if (_catchUp is null)
        {
            var catchUp = await oplog.CatchUpAsync(_position, cancellationToken);
            lock (_gate)
            {
                if (!_isClosed)
                {
                    _catchUp = catchUp;
                }
            }

            if (_isClosed)
            {
                await catchUp.DisposeAsync();
                throw Killed();
            }
        }

        return _log = (_catchUp ?? throw Killed()).Log;
    }

    /// <summary>Ends the stream; who waits for its next events is told.</summary>
    public void Close()
    {
        CatchUp? catchUp;
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            (catchUp, _catchUp) = (_catchUp, null);
        }

        _closed.TrySetResult();
        oplog.Release(this, scope);
        // Ending the connection is left to itself: who kills a cursor does not wait for PostgreSQL.
        _ = catchUp?.DisposeAsync().AsTask();
    }

    /// <summary>Leaves out what must not be seen yet: WAL that a stream reads for itself goes on to what no other member may have.</summary>
    private void Limit(List<Change> changes, ref ulong? end)
    {
        var beyond = changes.FindIndex(c => c.Commit >= _end);
        if (beyond >= 0)
        {
            changes.RemoveRange(beyond, changes.Count - beyond);
        }

        if (beyond >= 0 || end > _end)
        {
            end = _end;
        }
    }

    private static CommandException Killed() => new(ErrorCode.CursorKilled, "The change stream was killed.");

    private async ValueTask DetachAsync()
    {
        CatchUp? catchUp;
        lock (_gate)
        {
            (catchUp, _catchUp) = (_catchUp, null);
        }

        if (catchUp is not null)
        {
            await catchUp.DisposeAsync();
        }
    }

    /// <summary>Makes events of changes and moves on behind them. A failure is thrown when its change is the first, and otherwise found again there.</summary>
    private async ValueTask<(List<ReadOnlyMemory<byte>> Events, bool IsWhole)> EventsAsync(
        List<Change> changes, Func<ValueTask<BackendLease>> rent, CancellationToken cancellationToken)
    {
        List<ReadOnlyMemory<byte>> events = [];
        BackendLease? lease = null;
        var isWhole = true;
        var isDone = pipeline is null or { IsFilter: true };
        try
        {
            foreach (var change in changes)
            {
                var admitted = pipeline?.Admits(change);
                if (IsAsked(change) && admitted is not false)
                {
                    isDone &= pipeline is null || admitted is true;
                    RawDocument? now = null;
                    if (change.Kind == ChangeKind.Update && options.FullDocument == FullDocument.UpdateLookup)
                    {
                        lease ??= await rent();
                        now = await LookUpAsync(lease.Value.Connection, change, cancellationToken);
                    }

                    try
                    {
                        events.Add(ChangeEvent.Write(change, new ResumeToken(cluster, ChangePosition.After(change), IsInvalidate: false), options, now));
                    }
                    catch (CommandException) when (events.Count > 0)
                    {
                        isWhole = false;
                        break;
                    }
                }

                _position = ChangePosition.After(change);
                if (scope.Includes(change) && scope.EndsWith(change))
                {
                    _isInvalid = true;
                    isDone &= pipeline is null;
                    events.Add(ChangeEvent.Invalidate(change, Token));
                    break;
                }
            }

            if (events.Count == 0 || pipeline is null || isDone)
            {
                return (events, isWhole);
            }

            lease ??= await rent();
            return (await pipeline.RunAsync(lease.Value.Connection, events, cancellationToken), isWhole);
        }
        finally
        {
            if (lease is { } rented)
            {
                await rented.DisposeAsync();
            }
        }
    }

    private bool IsAsked(Change change) => scope.Includes(change)
        && (options.ShowExpandedEvents || change.Kind is not (ChangeKind.Create or ChangeKind.Modify or ChangeKind.CreateIndexes or ChangeKind.DropIndexes))
        && (options.StartAt is not { } from || (ulong)change.ClusterTime >= (ulong)from);

    /// <summary>The document of an update as it is now; a missing one when it is gone.</summary>
    private static async ValueTask<RawDocument> LookUpAsync(BackendConnection connection, Change change, CancellationToken cancellationToken)
    {
        var find = new BsonBuilder(128)
            .Add("find"u8, change.Collection.Name)
            .Start("filter"u8).Start("_id"u8).Add("$eq"u8, new RawDocument(change.Key).First).End().End()
            .Add("limit"u8, 1)
            .Add("singleBatch"u8, MongoDB.Bson.BsonType.Boolean, [1])
            .Finish();
        await using var reader = await connection.Command(Statements.Find).With(0, change.Collection.Database).With(1, find).ReadAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        new RawDocument(reader.GetBytes(0)).TryGet("cursor"u8, out var cursor);
        cursor.Document.TryGet("firstBatch"u8, out var batch);
        foreach (var found in batch.Document)
        {
            return found.Document;
        }

        return default;
    }
}
