namespace Platform.Gateway.Replication;

/// <summary>The files of a write-ahead log.</summary>
internal interface IWalSegments
{
    /// <summary>Reads a part of a segment on each timeline that has it, the latest first: that one is received. A file that is shorter gives less.</summary>
    /// <param name="segment">The segment: a file's name without the timeline, which comes first.</param>
    /// <param name="offset">Where the part begins.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    ValueTask<IReadOnlyList<byte[]>> ReadAsync(string segment, int offset, int length, CancellationToken cancellationToken);
}
