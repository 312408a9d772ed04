namespace Platform.Api.Caching;

/// <summary>What the cache has of a product.</summary>
/// <param name="Json">The <see cref="Contracts.ProductDetails"/> as callers get them, in UTF-8; empty when there is no such product.</param>
/// <param name="Hit">Whether they came from Redis.</param>
public readonly record struct CachedProduct(ReadOnlyMemory<byte> Json, bool Hit);
