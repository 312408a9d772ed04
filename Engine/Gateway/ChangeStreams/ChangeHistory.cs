using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// What happened, for streams that begin in the past. WAL is kept by a few replication slots of this member, which nobody reads: from time to time a new
/// one is made that begins at the present, and the oldest one is dropped. A stream reads from a temporary copy of the youngest slot that is old
/// enough. While nobody watches, nothing is decoded.
/// </summary>
internal sealed partial class ChangeHistory(
    PostgresSettings settings,
    BackendPool pool,
    PrimaryBackend primary,
    MemberState state,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<ChangeHistory> logger) : IDisposable
{
    private const int MostSlots = 4;
    private const string NoSuchObject = "42704";
    private const string ObjectInUse = "55006";

    private static readonly TimeSpan s_snapshotPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_placePause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_snapshotPatience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _gate = new(1);
    private readonly ConcurrentDictionary<int, string> _madeForMember = [];
    private long _preparedFor = -1;

    private sealed record Slot(string Name, ulong Position, bool IsValid, ulong Keeps)
    {
        /// <summary>Nothing that was committed after this time is missing; in microseconds since 1970.</summary>
        public long Since { get; } = long.Parse(Name.AsSpan(ChangeStatements.SlotPrefix.Length), CultureInfo.InvariantCulture);
    }

    /// <summary>What the members of this replica set have in common, and no other has.</summary>
    public uint Cluster { get; private set; }

    /// <summary>
    /// Makes what streams need, unless it is there. Throws <see cref="CommandException"/> when PostgreSQL is not set up for it.
    /// </summary>
    public async ValueTask PrepareAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _preparedFor) == state.Generation)
        {
            return;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            var generation = state.Generation;
            if (_preparedFor != generation)
            {
                await using var lease = await pool.RentAsync(cancellationToken);
                await PrepareAsync(lease.Connection, cancellationToken);
                Volatile.Write(ref _preparedFor, generation);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Waits until streams can be resumed here that were open elsewhere, but not longer than <paramref name="patience"/>: a slot is complete only when the
    /// transactions have ended that were under way when it was asked for.
    /// </summary>
    public async Task BeginAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        for (var complete = false; !complete && !ended.IsCancellationRequested;)
        {
            try
            {
                await PrepareAsync(ended.Token);
                complete = true;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested
                && (e is CommandException or PostgresException or IOException or SocketException or TimeoutException or OperationCanceledException))
            {
                // The primary is not ready to help, or has gone; the keeper of the history goes on trying.
                LogNotBegun(e.Message);
                await Task.Delay(s_snapshotPause, time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>A place in WAL before which everything was committed that has been acknowledged by now.</summary>
    public async ValueTask<ulong> NowAsync(CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(cancellationToken);
        return await NowAsync(lease.Connection, cancellationToken);
    }

    /// <summary>Begins to stream what was committed from a place on. Throws <see cref="CommandException"/> when WAL does not go back so far.</summary>
    public async ValueTask<ReplicationStream> StreamAsync(ulong start, CancellationToken cancellationToken)
    {
        var slot = await SlotAsync(start, cancellationToken);
        return await ReplicationStream.OpenAsync(settings, slot.Name, start, ChangeStatements.Changes, cancellationToken);
    }

    /// <summary>
    /// Begins to stream what is committed from now on; slots that were lost meanwhile, as on a member that follows another one, are made anew.
    /// </summary>
    public async ValueTask<ReplicationStream> StreamAsync(CancellationToken cancellationToken)
    {
        var now = await NowAsync(cancellationToken);
        if (!(await ValidSlotsAsync(cancellationToken)).Exists(s => s.Position <= now))
        {
            await RenewAsync([], cancellationToken);
            now = await NowAsync(cancellationToken);
        }

        return await StreamAsync(now, cancellationToken);
    }

    /// <summary>
    /// A place before which nothing was committed at or after a time, in microseconds since 1970. Throws <see cref="CommandException"/> when WAL does not
    /// go back so far.
    /// </summary>
    public async ValueTask<ulong> PlaceOfAsync(long time, CancellationToken cancellationToken)
    {
        var slot = (await ValidSlotsAsync(cancellationToken)).Find(s => s.Since < time) ?? throw Lost("startAtOperationTime is older than what is kept");
        return slot.Position;
    }

    /// <summary>What the collections are called by now.</summary>
    public async ValueTask<ChangeCatalogue> CatalogueAsync(CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(cancellationToken);
        return await CatalogueAsync(lease.Connection, cancellationToken);
    }

    /// <summary>What the collections were called at a place: as they are called now, less what was changed since.</summary>
    public async ValueTask<ChangeCatalogue> CatalogueAtAsync(ulong place, CancellationToken cancellationToken)
    {
        var slot = await SlotAsync(place, cancellationToken);
        await using var lease = await pool.RentAsync(cancellationToken);
        var connection = lease.Connection;
        var catalogue = await CatalogueAsync(connection, cancellationToken);
        var until = await NowAsync(connection, cancellationToken);
        var copy = $"platform_names_{connection.ProcessId}";
        await connection.Command(ChangeStatements.CopySlot).With(0, slot.Name).With(1, copy).With(2, true).RunAsync(cancellationToken);
        try
        {
            var output = new PgOutput();
            var restored = new HashSet<long>();
            await using var reader = await connection.Command(ChangeStatements.Definitions).With(0, copy).With(1, (long)until).ReadAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var message = reader.GetBytes(0).Span;
                var kind = output.Read(message);
                if (kind is PgMessageKind.Insert or PgMessageKind.Update or PgMessageKind.Delete && output.Commit >= place
                    && output.Relation.Kind == PgRelationKind.Collections
                    && ChangeCatalogue.IdOf(output, message) is var id && restored.Add(id))
                {
                    // The first change of a collection behind the place tells what it was there.
                    catalogue.Restore(id, kind == PgMessageKind.Insert ? null : ChangeCatalogue.Old(output, message));
                }
            }
        }
        finally
        {
            if (connection.IsOpen)
            {
                await connection.Command(ChangeStatements.DropSlot).With(0, copy).RunAsync(CancellationToken.None);
            }
        }

        return catalogue;
    }

    /// <summary>Makes a new slot when the youngest one is too old, and drops those that are not needed any more, or keep too much.</summary>
    /// <param name="newMembers">
    /// The numbers of the members that have come back, each with a slot that begins at the present. When one of them is primary next, it need not keep what
    /// older slots of other members refer to, which ends these: so there is one that is younger than its own, and it stays for as long as older ones do.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask RenewAsync(IReadOnlyCollection<int> newMembers, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        await using var lease = await pool.RentAsync(cancellationToken);
        var connection = lease.Connection;
        var slots = await SlotsAsync(connection, cancellationToken);
        var now = await NowAsync(connection, cancellationToken);
        var most = (ulong)options.Value.ChangeStreamHistoryMegabytes << 20;
        foreach (var useless in slots.Where(s => !s.IsValid))
        {
            LogInvalid(useless.Name);
            await DropAsync(connection, useless, cancellationToken);
        }

        slots.RemoveAll(s => !s.IsValid);
        if (slots.Count == 0)
        {
            await CreateAsync(connection, cancellationToken);
            return;
        }

        var interval = (long)options.Value.ChangeStreamHistory.TotalMicroseconds / (MostSlots - 1);
        var hasNewMember = newMembers.Count > 0;
        if (hasNewMember || Microseconds() - slots[0].Since > interval || now - slots[0].Position > most / MostSlots)
        {
            now = hasNewMember ? await PassSnapshotAsync(connection, cancellationToken) : now;
            var name = Name();
            await connection.Command(ChangeStatements.CopySlot).With(0, slots[0].Name).With(1, name).With(2, false).RunAsync(cancellationToken);
            await connection.Command(ChangeStatements.AdvanceSlot).With(0, name).With(1, (long)now).RunAsync(cancellationToken);
            slots.Insert(0, new Slot(name, now, IsValid: true, now));
            LogRenewed(name, hasNewMember ? "a member has come back" : "the youngest one was old");
            foreach (var member in newMembers)
            {
                _madeForMember[member] = name;
            }
        }

        while (slots.Count > 1 && (slots.Count > MostSlots || now > slots[^1].Keeps + most))
        {
            var useless = now > slots[^1].Keeps + most ? slots[^1]
                : slots[LeastUseful([.. slots.Select(s => s.Since)], i => _madeForMember.Values.Contains(slots[i].Name), interval)];
            await DropAsync(connection, useless, cancellationToken);
            slots.Remove(useless);
        }
    }

    /// <summary>
    /// The oldest slot when the others are as far apart as they should be. Else, since members that come and go shorten the past no more than they must, the
    /// oldest that stands between two that are near to each other, unless it was made for a member that came back, which would end all that are older.
    /// </summary>
    /// <param name="since">When the slots begin, the youngest first.</param>
    /// <param name="isMadeForMember">Whether a member came back when a slot was made.</param>
    /// <param name="interval">How far apart slots should be.</param>
    /// <returns>The slot's index.</returns>
    internal static int LeastUseful(IReadOnlyList<long> since, Func<int, bool> isMadeForMember, long interval)
    {
        for (var i = since.Count - 2; i > 0; i--)
        {
            if (since[i - 1] - since[i + 1] < interval && !isMadeForMember(i))
            {
                return i;
            }
        }

        return since.Count - 1;
    }

    /// <inheritdoc />
    public void Dispose() => _gate.Dispose();

    /// <summary>The error of a stream whose place in WAL is gone.</summary>
    public static CommandException Lost(string why) => new(
        ErrorCode.ChangeStreamHistoryLost,
        $"Resume of change stream was not possible, as the resume point may no longer be in the oplog: {why}.",
        "NonResumableChangeStreamError");

    private static async ValueTask<ulong> NowAsync(BackendConnection connection, CancellationToken cancellationToken) =>
        (ulong)await connection.Command(ChangeStatements.Now).SingleAsync<long>(cancellationToken);

    private static async ValueTask<ChangeCatalogue> CatalogueAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var catalogue = new ChangeCatalogue();
        await using var reader = await connection.Command(ChangeStatements.Collections).ReadAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            catalogue.Add(
                new WatchedCollection(
                    reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.IsDBNull(3) ? default : reader.GetFieldValue<byte[]>(3)),
                reader.GetBoolean(4),
                reader.IsDBNull(5) ? default : new RawDocument(reader.GetFieldValue<byte[]>(5)));
        }

        return catalogue;
    }

    private static async ValueTask<List<Slot>> SlotsAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var slots = new List<Slot>();
        await using var reader = await connection.Command(ChangeStatements.Slots).ReadAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            slots.Add(new Slot(reader.GetString(0), (ulong)reader.GetInt64(1), reader.GetBoolean(2), (ulong)reader.GetInt64(3)));
        }

        return slots;
    }

    /// <summary>The youngest slot that goes back to a place.</summary>
    private async ValueTask<Slot> SlotAsync(ulong place, CancellationToken cancellationToken)
    {
        var slots = await ValidSlotsAsync(cancellationToken);
        if (slots.Find(s => s.Position <= place) is { } slot)
        {
            return slot;
        }

        LogTooOld(new Lsn(place), string.Join(", ", slots.Select(s => $"{s.Name} at {new Lsn(s.Position)}")));
        throw Lost("the resume token, or the last event read, is older than what is kept");
    }

    private async ValueTask<List<Slot>> ValidSlotsAsync(CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        await using var lease = await pool.RentAsync(cancellationToken);
        return (await SlotsAsync(lease.Connection, cancellationToken)).FindAll(s => s.IsValid);
    }

    private async ValueTask PrepareAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var level = await connection.Command(ChangeStatements.WalLevel).SingleAsync<string>(cancellationToken);
        if (level != "logical")
        {
            throw new CommandException(
                (ErrorCode)40573,
                $"The $changeStream stage is only supported on replica sets whose PostgreSQL has wal_level = logical; here it is '{level}'.");
        }

        Cluster = (uint)await connection.Command(ChangeStatements.Cluster).SingleAsync<long>(cancellationToken);
        if (state.IsPrimary)
        {
            await connection.RunAsync(ChangeStatements.Schema, cancellationToken);
        }

        if (!(await SlotsAsync(connection, cancellationToken)).Exists(s => s.IsValid))
        {
            await CreateAsync(connection, cancellationToken);
        }
    }

    /// <summary>Makes the first slot. It is made under another name, since it is known only then from when on it is complete.</summary>
    private async ValueTask CreateAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var first = $"platform_first_{connection.ProcessId}";
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var created = connection.Command(ChangeStatements.CreateSlot).With(0, first).RunAsync(ended.Token).AsTask();
        try
        {
            while (!state.IsPrimary && !created.IsCompleted)
            {
                await primary.RunAsync(p => p.Command(ChangeStatements.Snapshot).RunAsync(ended.Token), ended.Token);
                await Task.WhenAny(created, Task.Delay(s_snapshotPause, ended.Token));
            }
        }
        catch
        {
            // Nobody may use the connection before it is done.
            await ended.CancelAsync();
            await created.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        await created;
        try
        {
            var name = Name();
            await connection.Command(ChangeStatements.CopySlot).With(0, first).With(1, name).With(2, false).RunAsync(cancellationToken);
            LogRenewed(name, "there was none");
        }
        finally
        {
            if (connection.IsOpen)
            {
                await connection.Command(ChangeStatements.DropSlot).With(0, first).RunAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>
    /// Has the primary say which transactions run, and waits until that is written here: a slot that is moved on to there needs nothing older. Returns that
    /// place.
    /// </summary>
    private async ValueTask<ulong> PassSnapshotAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var place = 0UL;
        await primary.RunAsync(
            async p => place = (ulong)await p.Command(ChangeStatements.Snapshot).SingleAsync<long>(cancellationToken), cancellationToken);
        var started = time.GetTimestamp();
        while (await NowAsync(connection, cancellationToken) < place)
        {
            if (time.GetElapsedTime(started) > s_snapshotPatience)
            {
                throw new TimeoutException("This member is too far behind the primary.");
            }

            await Task.Delay(s_placePause, time, cancellationToken);
        }

        return place;
    }

    private async ValueTask DropAsync(BackendConnection connection, Slot slot, CancellationToken cancellationToken)
    {
        try
        {
            await connection.Command(ChangeStatements.DropSlot).With(0, slot.Name).RunAsync(cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState is NoSuchObject or ObjectInUse)
        {
            // Another gateway of the same PostgreSQL was quicker, or copies it at the moment; the next round sees.
            LogNotDropped(slot.Name, e.MessageText);
        }
    }

    private string Name() => string.Create(CultureInfo.InvariantCulture, $"{ChangeStatements.SlotPrefix}{Microseconds():D16}");

    private long Microseconds() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    [LoggerMessage(LogLevel.Warning, "The replication slot {Slot} has lost its WAL, so change streams cannot go back as far as it did")]
    private partial void LogInvalid(string slot);

    [LoggerMessage(LogLevel.Information, "The replication slot {Slot} keeps the history of changes from now on, since {Reason}")]
    private partial void LogRenewed(string slot, string reason);

    [LoggerMessage(LogLevel.Information, "A stream cannot be resumed at {Place}: the replication slots are {Slots}")]
    private partial void LogTooOld(Lsn place, string slots);

    [LoggerMessage(LogLevel.Information, "The history of changes has not begun yet: {Reason}")]
    private partial void LogNotBegun(string reason);

    [LoggerMessage(LogLevel.Information, "The replication slot {Slot} was not dropped: {Reason}")]
    private partial void LogNotDropped(string slot, string reason);
}
