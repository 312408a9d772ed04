using MongoDB.Bson;

namespace Platform.Mongo.Changes;

/// <summary>Tells one listener of several streams as if they were one: one call after the other.</summary>
/// <param name="listener">Who is told.</param>
/// <param name="count">How many streams there are.</param>
internal sealed class StreamsTogether(IChangeListener listener, int count) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private int _open;
    private bool _missed;

    /// <summary>One more stream is open.</summary>
    public async Task BeganAsync(bool missed, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _missed |= missed;
            if (_open + 1 == count)
            {
                await listener.BeganAsync(_missed, cancellationToken);
                _missed = false;
            }

            _open++;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A stream has brought events.</summary>
    public async Task ChangedAsync(IReadOnlyList<BsonDocument> events, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await listener.ChangedAsync(events, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A stream that was open is so no longer.</summary>
    public async Task EndedAsync()
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            if (_open-- == count)
            {
                listener.Ended();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();
}
