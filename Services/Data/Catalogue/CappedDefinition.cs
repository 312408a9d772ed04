namespace Platform.Data.Catalogue;

/// <summary>How much a collection may hold; then the oldest documents make room for new ones.</summary>
/// <param name="Bytes">In bytes; servers round it up to a multiple of 256.</param>
/// <param name="Documents">In documents; null for as many as have room.</param>
/// <remarks><see href="https://www.mongodb.com/docs/manual/core/capped-collections/"/></remarks>
public sealed record CappedDefinition(long Bytes, long? Documents = null);
