namespace Platform.Gateway.ChangeStreams;

/// <summary>WAL that one stream reads for itself until it has caught up with the present.</summary>
internal sealed class CatchUp(ChangeFeed feed, SemaphoreSlim places) : IAsyncDisposable
{
    /// <summary>What was read.</summary>
    public ChangeLog Log => feed.Log;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await feed.DisposeAsync();
        places.Release();
    }
}
