namespace Platform.Caching.Administration;

/// <summary>A master.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="UsedBytes">What its data take.</param>
/// <param name="MaxBytes">What they may take; 0: no limit.</param>
/// <param name="Policy">What is evicted when there is no room.</param>
/// <param name="Fragmentation">How many times the used memory the process has.</param>
/// <param name="Evicted">Keys that went for want of room.</param>
/// <param name="Expired">Keys whose life ended.</param>
/// <param name="Hits">Look-ups that found a key.</param>
/// <param name="Misses">Look-ups that did not.</param>
/// <param name="Replicas">How many follow it.</param>
/// <param name="IsLogWritten">Whether the append-only file is on and its last write went well.</param>
/// <param name="IsSnapshotGood">Whether the last snapshot went well.</param>
public sealed record CacheNode(
    string Address, long UsedBytes, long MaxBytes, string Policy, double Fragmentation, long Evicted, long Expired, long Hits, long Misses, long Replicas,
    bool IsLogWritten, bool IsSnapshotGood);
