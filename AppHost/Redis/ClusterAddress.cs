namespace Platform.AppHost.Redis;

/// <summary>Where a node of a Redis cluster listens, on 127.0.0.1.</summary>
/// <param name="Port">For clients.</param>
/// <param name="BusPort">For the other nodes.</param>
internal readonly record struct ClusterAddress(int Port, int BusPort);
