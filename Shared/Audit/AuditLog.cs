using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Platform.Audit;

/// <summary>
/// Writes an audit log: one JSON line for each event, each signed together with all before it. One process writes a log at a time, and one task of it; the
/// chain goes on from file to file and from start to start. When a line cannot be written, whoever waits for it is told, what is not written is remembered
/// within bounds, and written before anything else as soon as that can be.
/// </summary>
public sealed class AuditLog : IAsyncDisposable
{
    /// <summary>How many events wait to be written; who has one more waits for a place.</summary>
    public const int MostWaiting = 1_024;

    /// <summary>How many events are remembered while the log cannot be written; more are counted.</summary>
    public const int MostRemembered = 1_000;

    private const int LargestBatch = 256;
    private static readonly TimeSpan s_lockPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_onDiskWithin = TimeSpan.FromSeconds(1);

    private readonly AuditSettings _settings;
    private readonly TimeProvider _time;
    private readonly string _directory;
    private readonly AuditState _state;
    private readonly byte[] _key;
    private readonly FileStream _lock;
    private readonly ArrayBufferWriter<byte> _buffer = new(16 * 1024);
    private readonly List<Entry> _inBuffer = [];
    private readonly Queue<AuditEvent> _unwritten = new();
    private readonly Channel<Entry> _queue = Channel.CreateBounded<Entry>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly Task _writing;

    // The file, and the chain: as far as written, and as far as it is in the buffer.
    private FileStream _file;
    private DateOnly _day;
    private long _length;
    private AuditHead _written;
    private AuditHead _last;
    private bool _isOnDisk = true;
    private long _notOnDiskSince;
    private bool _mustCut;
    private DateTimeOffset _brokenSince;
    private long _late;
    private long _lost;
    private volatile string? _trouble;

    private AuditLog(AuditSettings settings, string directory, TimeProvider time, AuditState state, byte[] key, FileStream held)
    {
        (_settings, _directory, _time, _state, _key, _lock) = (settings, directory, time, state, key, held);
        (_written, var found) = FindEnd();
        _last = _written;
        Found = [.. found.Select(repair => repair.Sentence)];
        var newest = AuditFiles.Of(directory) is [.., var latest] ? latest : null;
        _file = newest is null
            ? AuditFiles.Open(AuditFiles.PathOf(directory, _last.Number + 1), FileMode.CreateNew, FileShare.ReadWrite | FileShare.Delete)
            : AuditFiles.Open(newest, FileMode.Open, FileShare.ReadWrite | FileShare.Delete);
        _length = _file.Length;
        _day = newest is null || _length == 0 ? Today() : DateOnly.FromDateTime(File.GetLastWriteTimeUtc(newest));
        foreach (var repair in found)
        {
            Append(new AuditEvent(AuditTypes.Repair, time.GetUtcNow()) { Param = repair.Param });
        }

        Flush();
        ToDisk();
        _writing = Task.Run(WriteAllAsync);
    }

    /// <summary>What was not as it had been left when the log was opened, a sentence each; the log has a record of each.</summary>
    public IReadOnlyList<string> Found { get; }

    /// <summary>Why the log cannot be written at present; null when it can.</summary>
    public string? Trouble => _trouble;

    /// <summary>Opens a log, or begins one.</summary>
    /// <param name="settings">Where it is, and how much of it is kept.</param>
    /// <param name="writer">Who writes: the name of its directory.</param>
    /// <param name="patience">How long to wait for another process that writes it.</param>
    /// <param name="time">The time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="AuditUnavailableException">It cannot be opened.</exception>
    public static async Task<AuditLog> OpenAsync(
        AuditSettings settings, string writer, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(time);
        var directory = Path.Combine(settings.Directory!, writer);
        FileStream? held = null;
        AuditState? state = null;
        try
        {
            OwnerOnly.MakeDirectory(settings.Directory!);
            OwnerOnly.MakeDirectory(directory);
            held = await LockAsync(Path.Combine(directory, "lock"), patience, time, cancellationToken);
            state = new AuditState(settings.KeyDirectory!, writer);
            var key = state.ReadKey();
            if (key is null && AuditFiles.Of(directory).Count > 0)
            {
                throw new AuditUnavailableException(
                    $"The key {state.KeyFile} is missing, which the audit log in {directory} is signed with: put it back, or move the log away to begin "
                        + "a new one.");
            }

            return new AuditLog(settings, directory, time, state, key ?? state.MakeKey(), held);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or AuditUnavailableException)
        {
            state?.Dispose();
            held?.Dispose();
            throw exception as AuditUnavailableException
                ?? new AuditUnavailableException($"The audit log in {directory} cannot be opened: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>Records an event. Returns when its line is written, so that it outlives this process.</summary>
    /// <param name="what">The event.</param>
    /// <param name="toDisk">Whether to wait until it is on the disk, so that it outlives the machine's end, too; others are within a second.</param>
    /// <exception cref="AuditUnavailableException">It could not be written. It is remembered.</exception>
    public ValueTask WriteAsync(AuditEvent what, bool toDisk) => WriteAsync(new Entry(what, toDisk));

    /// <summary>Tries to write what could not be written; returns when there is nothing left.</summary>
    /// <exception cref="AuditUnavailableException">The log still cannot be written.</exception>
    public ValueTask RecoverAsync() => WriteAsync(new Entry(null, ToDisk: true));

    /// <summary>Writes what waits, and closes the log.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_queue.Writer.TryComplete())
        {
            await _writing;
            await _file.DisposeAsync();
            _state.Dispose();
            await _lock.DisposeAsync();
        }
    }

    private static async Task<FileStream> LockAsync(string file, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return AuditFiles.Open(file, FileMode.OpenOrCreate, FileShare.None);
            }
            catch (IOException exception) when (exception is not (DirectoryNotFoundException or PathTooLongException))
            {
                if (time.GetElapsedTime(started) > patience)
                {
                    throw;
                }
            }

            await Task.Delay(s_lockPause, cancellationToken);
        }
    }

    private async ValueTask WriteAsync(Entry entry)
    {
        try
        {
            await _queue.Writer.WriteAsync(entry);
        }
        catch (ChannelClosedException exception)
        {
            throw new AuditUnavailableException($"The audit log in {_directory} is closed.", exception);
        }

        await entry.Written.Task;
    }

    private async Task WriteAllAsync()
    {
        var batch = new List<Entry>(LargestBatch);
        while (true)
        {
            var more = _queue.Reader.WaitToReadAsync().AsTask();
            if (!_isOnDisk)
            {
                var left = s_onDiskWithin - Stopwatch.GetElapsedTime(_notOnDiskSince);
                if (left <= TimeSpan.Zero || (!more.IsCompleted && await Task.WhenAny(more, Task.Delay(left)) != more))
                {
                    Try(ToDisk, batch);
                }
            }

            if (!await more)
            {
                break;
            }

            while (batch.Count < LargestBatch && _queue.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            Try(() => Write(batch), batch);
            batch.Clear();
        }

        Try(ToDisk, batch);
    }

    private void Try(Action write, List<Entry> batch)
    {
        try
        {
            write();
        }
#pragma warning disable CA1031 // Whoever waits is told; nobody would be if this task ended.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fail(batch, exception);
        }
    }

    private void Write(List<Entry> batch)
    {
        Recover();
        foreach (var entry in batch)
        {
            if (entry.What is { } what)
            {
                Append(what);
                _inBuffer.Add(entry);
            }
        }

        Flush();
        if (batch.Exists(entry => entry.ToDisk))
        {
            ToDisk();
        }

        foreach (var entry in batch)
        {
            entry.Written.TrySetResult();
        }
    }

    private void Recover()
    {
        if (_trouble is null)
        {
            return;
        }

        if (_mustCut)
        {
            RandomAccess.SetLength(_file.SafeFileHandle, _length);
            _mustCut = false;
        }

        for (; _unwritten.TryPeek(out var what); _late++)
        {
            Append(what);
            Flush();
            _unwritten.Dequeue();
        }

        Append(new AuditEvent(AuditTypes.Recovered, _time.GetUtcNow())
        {
            Param = new JsonObject { ["reason"] = _trouble, ["since"] = Text(_brokenSince), ["late"] = _late, ["lost"] = _lost },
        });
        Flush();
        ToDisk();
        (_late, _lost, _trouble) = (0, 0, null);
    }

    // What was flushed before, because a file ended, is in the log.
    private void Fail(List<Entry> batch, Exception exception)
    {
        _buffer.ResetWrittenCount();
        _inBuffer.Clear();
        if (_trouble is null)
        {
            _brokenSince = _time.GetUtcNow();
        }

        _trouble = exception.Message;
        _last = _written;
        _mustCut = true;
        var failure = new AuditUnavailableException($"The audit log in {_directory} cannot be written: {exception.Message.TrimEnd('.')}.", exception);
        foreach (var entry in batch)
        {
            if (entry.IsFlushed && !entry.ToDisk)
            {
                entry.Written.TrySetResult();
                continue;
            }

            if (entry.What is { } what && !entry.IsFlushed)
            {
                // An event that has no line must not keep others from theirs.
                if (_unwritten.Count < MostRemembered && exception is (IOException or UnauthorizedAccessException))
                {
                    _unwritten.Enqueue(what);
                }
                else
                {
                    _lost++;
                }
            }

            entry.Written.TrySetException(failure);
        }
    }

    private void Append(AuditEvent what)
    {
        if (_length + _buffer.WrittenCount >= _settings.MaxFileMegabytes * 1024L * 1024 || (_day != Today() && _length + _buffer.WrittenCount > 0))
        {
            Rotate();
        }

        Add(what);
    }

    private void Add(AuditEvent what)
    {
        var line = AuditLine.Append(_buffer, what, _last.Number + 1, _last.Hash, _key);
        _last = new AuditHead(line.Number, line.Hash);
    }

    private void Flush()
    {
        if (_buffer.WrittenCount == 0)
        {
            return;
        }

        RandomAccess.Write(_file.SafeFileHandle, _buffer.WrittenSpan, _length);
        _length += _buffer.WrittenCount;
        _buffer.ResetWrittenCount();
        _inBuffer.ForEach(entry => entry.IsFlushed = true);
        _inBuffer.Clear();
        _written = _last;
        _notOnDiskSince = _isOnDisk ? Stopwatch.GetTimestamp() : _notOnDiskSince;
        _isOnDisk = false;
    }

    private void ToDisk()
    {
        RandomAccess.FlushToDisk(_file.SafeFileHandle);
        _state.WriteHead(_written, _key);
        _isOnDisk = true;
    }

    private void Rotate()
    {
        Flush();
        ToDisk();
        var next = AuditFiles.Open(AuditFiles.PathOf(_directory, _last.Number + 1), FileMode.CreateNew, FileShare.ReadWrite | FileShare.Delete);
        _file.Dispose();
        (_file, _length, _day) = (next, 0, Today());
        Expire();
    }

    /// <summary>Removes files whose time is over, each after a record of what its last line was: what is left can be verified by it.</summary>
    private void Expire()
    {
        var files = AuditFiles.Of(_directory);
        var oldest = _time.GetUtcNow() - TimeSpan.FromDays(_settings.KeepDays);
        // The one that is written, and the one before it, always stay.
        for (var i = 0; i < files.Count - 2; i++)
        {
            var tooMany = files.Count - i > _settings.KeepFiles;
            // By its signed successor, and not by what the file system says of it.
            if (FirstOf(files[i + 1]) is not var (next, at) || !(tooMany || at < oldest))
            {
                return;
            }

            Add(new AuditEvent(AuditTypes.Expired, _time.GetUtcNow())
            {
                Param = new JsonObject
                {
                    ["file"] = Path.GetFileName(files[i]),
                    ["upTo"] = next.Number - 1,
                    ["hash"] = next.Previous,
                    ["reason"] = tooMany ? "KeepFiles" : "KeepDays",
                },
            });
            Flush();
            ToDisk();
            try
            {
                File.Delete(files[i]);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Tried again when the next file begins.
                Add(new AuditEvent(AuditTypes.Repair, _time.GetUtcNow())
                {
                    Param = new JsonObject { ["problem"] = "notRemoved", ["file"] = Path.GetFileName(files[i]), ["reason"] = exception.Message },
                });
                return;
            }
        }
    }

    /// <summary>The first line of a file, and when it was written; null when it is not as it was written.</summary>
    private (AuditLine Line, DateTimeOffset At)? FirstOf(string file)
    {
        using var reader = new AuditLineReader(file);
        return reader.TryRead(out var bytes) && AuditLine.TryRead(bytes, _key) is { } line && AuditRecord.TryParse(bytes) is { } record
            ? (line, record.At)
            : null;
    }

    /// <summary>
    /// Where the log goes on, and what is not as it was left. Goes on behind the head when lines before it are gone: their numbers stay missing.
    /// </summary>
    private (AuditHead Head, List<(string Sentence, JsonObject Param)> Found) FindEnd()
    {
        var found = new List<(string, JsonObject)>();
        var known = _state.ReadHead(_key);
        AuditHead? end = null;
        string? changed = null;
        foreach (var file in AuditFiles.Of(_directory).Reverse())
        {
            using var reader = new AuditLineReader(file);
            changed = null;
            while (reader.TryRead(out var bytes))
            {
                var line = AuditLine.TryRead(bytes, _key);
                changed = line is null ? string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(file)}:{reader.Number}") : null;
                end = line is null ? end : new AuditHead(line.Number, line.Hash);
            }

            if (reader.Rest > 0)
            {
                CutTorn(file, reader, found);
            }

            if (end is not null || changed is not null)
            {
                break;
            }
        }

        if (changed is not null)
        {
            found.Add((
                $"The last line {changed} of the audit log in {_directory} was changed, or not written by it.",
                new JsonObject { ["problem"] = "changed", ["line"] = changed }));
        }

        if (known is null && end is not null)
        {
            found.Add((
                $"{_state.HeadFile} is missing or was changed, so nobody can say whether the end of the audit log in {_directory} was cut off.",
                new JsonObject { ["problem"] = "headMissing", ["line"] = end.Number }));
        }

        if (known is not null && (known.Number > (end?.Number ?? 0) || (known.Number == end?.Number && known.Hash != end.Hash)))
        {
            found.Add((
                string.Create(
                    CultureInfo.InvariantCulture, $"The audit log in {_directory} ends with line {end?.Number ?? 0}, but {known.Number} were written."),
                new JsonObject { ["problem"] = "cut", ["lines"] = known.Number, ["left"] = end?.Number ?? 0 }));
            return (known, found);
        }

        return (end ?? known ?? new AuditHead(0, AuditLine.Origin), found);
    }

    /// <summary>Removes the beginning of a line that a crash or a full disk left without an end.</summary>
    private static void CutTorn(string file, AuditLineReader reader, List<(string, JsonObject)> found)
    {
        using var stream = AuditFiles.Open(file, FileMode.Open, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = reader.Position;
        var hash = Convert.ToHexStringLower(SHA256.HashData(stream));
        stream.SetLength(reader.Position);
        var name = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(file)}:{reader.Number + 1}");
        found.Add((
            string.Create(CultureInfo.InvariantCulture, $"The last line {name} of an audit log was torn after {reader.Rest} bytes and is removed."),
            new JsonObject { ["problem"] = "torn", ["line"] = name, ["bytes"] = reader.Rest, ["sha256"] = hash }));
    }

    private DateOnly Today() => DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private sealed record Entry(AuditEvent? What, bool ToDisk)
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsFlushed { get; set; }
    }
}
