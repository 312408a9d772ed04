using System.Net.Sockets;
using Platform.Gateway.Postgres;

namespace Platform.Gateway.ChangeStreams;

/// <summary>Reads decoded WAL into a log, from one connection, for as long as it is not disposed.</summary>
internal sealed class ChangeFeed : IAsyncDisposable
{
    // So that a burst is seen while it lasts, and no list grows with it.
    private const int MostAtOnce = 512;

    private static readonly TimeSpan s_reportInterval = TimeSpan.FromSeconds(1);

    private readonly ReplicationStream _stream;
    private readonly ChangeDecoder _decoder;
    private readonly bool _waits;
    private readonly Func<bool>? _publishes;
    private readonly Task _reading;
    private (ulong Before, ulong End) _handed;
    private volatile bool _disposed;

    /// <summary>Begins to read.</summary>
    /// <param name="stream">Where from.</param>
    /// <param name="decoder">Knows what the collections are called where the stream begins.</param>
    /// <param name="log">Where to.</param>
    /// <param name="waits">Whether to wait for room in the log, for its one reader, instead of forgetting the oldest.</param>
    /// <param name="publishes">Whether what is read may be seen at once; null: <see cref="ChangeLog.Publish"/> is left to somebody else.</param>
    public ChangeFeed(ReplicationStream stream, ChangeDecoder decoder, ChangeLog log, bool waits, Func<bool>? publishes)
    {
        _stream = stream;
        _decoder = decoder;
        _waits = waits;
        Log = log;
        _publishes = publishes;
        _handed = (stream.Position, stream.Position);
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>What was read.</summary>
    public ChangeLog Log { get; }

    /// <summary>What has been handed to the log: changes before the first place, and all of what was committed before the second one.</summary>
    public (ulong Before, ulong End) Handed
    {
        get
        {
            lock (_decoder)
            {
                return _handed;
            }
        }
    }

    /// <summary>Released when there is more in the log than before; only when somebody else publishes it.</summary>
    public SemaphoreSlim Grown { get; } = new(0, 1);

    /// <summary>A copy of what the collections are called, unless that has changed behind a place.</summary>
    public ChangeCatalogue? CatalogueAt(ulong place)
    {
        lock (_decoder)
        {
            return _decoder.LastDefinition < place ? _decoder.Catalogue.Copy() : null;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        Log.Fail(new ObjectDisposedException(nameof(ChangeFeed)));
        await _stream.DisposeAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Grown.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            var changes = new List<Change>();
            while (!_disposed)
            {
                await _stream.ReadAsync();
                do
                {
                    lock (_decoder)
                    {
                        Take(changes);
                    }

                    if (changes.Count >= MostAtOnce)
                    {
                        Hand(changes);
                        await WaitForRoomAsync();
                    }
                }
                while (_stream.TryRead());

                Hand(changes);
                await WaitForRoomAsync();
                if (_stream.MustReport)
                {
                    await _stream.ReportAsync();
                }
            }
        }
#pragma warning disable CA1031 // Whatever ended it, the streams that read from it have to hear of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.Fail(e is IOException or SocketException or ObjectDisposedException ? e : new InvalidDataException("Decoded WAL could not be read.", e));
        }
    }

    private void Take(List<Change> changes)
    {
        if (_stream.Data.IsEmpty)
        {
            return;
        }

        if (_decoder.Read(_stream.Data, changes))
        {
            _stream.Pass(_decoder.End);
        }
    }

    private void Hand(List<Change> changes)
    {
        if (changes.Count > 0)
        {
            Log.Append(changes);
            changes.Clear();
        }

        lock (_decoder)
        {
            // A transaction arrives after it was committed, so a part of it may be seen while the rest is being read.
            var end = _decoder.IsInTransaction ? _handed.End : Math.Max(_handed.End, _stream.Position);
            _handed = (_decoder.IsInTransaction ? _decoder.Current + 1 : end, end);
        }

        if (_publishes is not null)
        {
            if (!_publishes())
            {
                throw new IOException("The member's role has changed.");
            }

            Log.Publish(_handed.Before, _handed.End, forgets: !_waits);
        }
        else if (Grown.CurrentCount == 0)
        {
            Grown.Release();
        }
    }

    /// <summary>Waits while the log is full, and tells the server meanwhile that this end is alive.</summary>
    private async ValueTask WaitForRoomAsync()
    {
        for (var room = Log.WhenRoom(); !room.IsCompleted && !_disposed;)
        {
            await room.WaitAsync(s_reportInterval).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _stream.ReportAsync();
        }
    }
}
