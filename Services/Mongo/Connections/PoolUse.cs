namespace Platform.Mongo.Connections;

/// <summary>How the connection pools of all servers are used at a moment.</summary>
/// <param name="Open">Connections that exist.</param>
/// <param name="InUse">Those of them that work for somebody.</param>
/// <param name="MaxPerServer">How many each server's pool may have.</param>
public sealed record PoolUse(int Open, int InUse, int MaxPerServer);
