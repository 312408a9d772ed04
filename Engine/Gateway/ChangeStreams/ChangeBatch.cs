namespace Platform.Gateway.ChangeStreams;

/// <summary>A page of events.</summary>
/// <param name="Events">The events.</param>
/// <param name="Token">Behind everything that has been looked at.</param>
/// <param name="IsLast">Whether the stream ended with them.</param>
/// <param name="Waited">How long was waited for the first of them.</param>
internal sealed record ChangeBatch(IReadOnlyList<ReadOnlyMemory<byte>> Events, ResumeToken Token, bool IsLast, TimeSpan Waited);
