namespace Platform.Caching.Catalogue;

/// <summary>The name of an entry; <see cref="CacheKeys"/> makes them.</summary>
/// <param name="Cache">What it is an entry of.</param>
/// <param name="Tenant">The tenant's id, or <see cref="CacheKeys.NoTenant"/>.</param>
/// <param name="Tag">The value of the definition's tag; null when it has none.</param>
/// <param name="Text">The name in Redis.</param>
public readonly record struct CacheKey(CacheDefinition Cache, string Tenant, string? Tag, string Text)
{
    /// <summary>
    /// What the entry depends on, itself first: a change of any of them makes it wrong. Always in the same order, on which
    /// <see cref="Changes.ChangeStamps"/> rely.
    /// </summary>
    public string[] Scopes
    {
        get
        {
            string[] scopes = [Text, CacheKeys.Everything, CacheKeys.OfKind(Cache), CacheKeys.OfTenant(Tenant), CacheKeys.OfTenant(Tenant, Cache)];
            return Tag is null ? scopes : [.. scopes, CacheKeys.OfTag(Tenant, Cache, Tag)];
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
