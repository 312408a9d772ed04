namespace Platform.Gateway.Backend;

/// <summary>A connection in use. Disposing gives it back, unless it belongs to a transaction.</summary>
internal readonly struct BackendLease(BackendConnection connection, BackendPool? pool) : IAsyncDisposable
{
    /// <summary>The connection.</summary>
    public BackendConnection Connection => connection;

    /// <inheritdoc />
    public ValueTask DisposeAsync() => pool?.ReturnAsync(connection) ?? ValueTask.CompletedTask;
}
