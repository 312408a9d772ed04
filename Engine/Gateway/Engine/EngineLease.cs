namespace Platform.Gateway.Engine;

/// <summary>A connection in use. Disposing gives it back, unless it belongs to a transaction.</summary>
internal readonly struct EngineLease(EngineConnection connection, EnginePool? pool) : IAsyncDisposable
{
    /// <summary>The connection.</summary>
    public EngineConnection Connection => connection;

    /// <inheritdoc />
    public ValueTask DisposeAsync() => pool?.ReturnAsync(connection) ?? ValueTask.CompletedTask;
}
