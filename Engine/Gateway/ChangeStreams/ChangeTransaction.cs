namespace Platform.Gateway.ChangeStreams;

/// <summary>Which multi-document transaction changes belong to.</summary>
/// <param name="Session">The document <c>lsid</c>.</param>
/// <param name="Number">The transaction's number within the session.</param>
internal sealed record ChangeTransaction(ReadOnlyMemory<byte> Session, long Number);
