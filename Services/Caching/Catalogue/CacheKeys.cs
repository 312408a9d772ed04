using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Caching.Catalogue;

/// <summary>
/// The names of everything that is in Redis. An entry is <c>platform:v1:{tenant}:{kind}:{id}</c>: the tenant comes first, so that no id can reach another
/// tenant's entry; the version is that of the kind (<see cref="CacheDefinition.Version"/>). What entries depend on together, a scope, is named by where they
/// are and a <c>~</c>: <c>platform:v1:{tenant}:~</c> is everything of a tenant.
/// </summary>
public static class CacheKeys
{
    /// <summary>What every name begins with: who may use the cache may use these names alone.</summary>
    public const string Prefix = "platform:";

    /// <summary>Stands for the tenant in entries that belong to none.</summary>
    public const string NoTenant = "-";

    /// <summary>The scope of everything.</summary>
    public const string Everything = CacheNames.Everything;

    /// <summary>The channel on which processes tell each other what changed.</summary>
    public const string Channel = CacheNames.Channel;

    /// <summary>What is told on that channel to have the processes load what the catalogue says.</summary>
    public const string Warm = "platform:v1:warm";

    private const int MaxIdBytes = 512;

    /// <summary>An entry.</summary>
    /// <param name="cache">What it is an entry of.</param>
    /// <param name="tenant">The tenant's id; <see cref="NoTenant"/> for a kind that has none.</param>
    /// <param name="id">The entry's id within tenant and kind.</param>
    /// <exception cref="ArgumentException">The id has a control character, or more than 512 bytes of UTF-8.</exception>
    public static CacheKey Of(CacheDefinition cache, string tenant, string id)
    {
        ArgumentNullException.ThrowIfNull(cache);
        Check(tenant);
        Check(id);
        return new CacheKey(cache, tenant, null, $"platform:v{cache.Version}:{tenant}:{cache.Kind}:{id}");
    }

    /// <summary>An entry of a kind that has a tag.</summary>
    /// <param name="cache">What it is an entry of.</param>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="tag">The tag's value; without a colon.</param>
    /// <param name="id">The entry's id within them.</param>
    public static CacheKey Of(CacheDefinition cache, string tenant, string tag, string id)
    {
        ArgumentNullException.ThrowIfNull(cache);
        Check(tenant);
        CheckTag(tag);
        Check(id);
        return new CacheKey(cache, tenant, tag, $"platform:v{cache.Version}:{tenant}:{cache.Kind}:{tag}:{id}");
    }

    /// <summary>A tenant.</summary>
    /// <param name="slug">Its slug.</param>
    public static CacheKey Tenant(string slug) => Of(CacheCatalogue.Tenants, NoTenant, slug);

    /// <summary>A product with its stock.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="product">The product's id.</param>
    public static CacheKey Product(string tenant, string product) => Of(CacheCatalogue.Products, tenant, product);

    /// <summary>The first page of a list of products.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="category">The category that was asked for; null for all.</param>
    /// <param name="list">All other parameters; of any length.</param>
    public static CacheKey ProductList(string tenant, string? category, string list) =>
        Of(CacheCatalogue.ProductLists, tenant, TagOf(category), Hash(list));

    /// <summary>A category and those below it.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="category">Its slug or id; of any characters.</param>
    public static CacheKey Category(string tenant, string category) => Of(CacheCatalogue.Categories, tenant, TagOf(category));

    /// <summary>The stores near a place.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="lon">Longitude in degrees.</param>
    /// <param name="lat">Latitude in degrees.</param>
    /// <param name="km">How far, in kilometres.</param>
    public static CacheKey StoresNear(string tenant, double lon, double lat, double km) =>
        Of(CacheCatalogue.Stores, tenant, string.Create(CultureInfo.InvariantCulture, $"{lon:R},{lat:R},{km:R}"));

    /// <summary>A report.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="store">The store's id; null for all.</param>
    /// <param name="report">Its name and parameters.</param>
    public static CacheKey Report(string tenant, string? store, string report) => Of(CacheCatalogue.Reports, tenant, TagOf(store), report);

    /// <summary>The scope of a kind, of all tenants.</summary>
    /// <param name="cache">The kind.</param>
    public static string OfKind(CacheDefinition cache) => $"platform:v{cache.Version}:~:{cache.Kind}";

    /// <summary>The scope of a tenant.</summary>
    /// <param name="tenant">The tenant's id.</param>
    public static string OfTenant(string tenant) => $"platform:v1:{tenant}:~";

    /// <summary>The scope of a kind of a tenant.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="cache">The kind.</param>
    public static string OfTenant(string tenant, CacheDefinition cache) => $"platform:v{cache.Version}:{tenant}:{cache.Kind}:~";

    /// <summary>The scope of a tag.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="cache">The kind, which has the tag.</param>
    /// <param name="tag">The tag's value.</param>
    public static string OfTag(string tenant, CacheDefinition cache, string tag)
    {
        CheckTag(tag);
        return $"platform:v{cache.Version}:{tenant}:{cache.Kind}:{tag}:~";
    }

    /// <summary>The lock of whoever loads an entry.</summary>
    /// <param name="key">The entry's name.</param>
    public static string LockOf(string key) => key + ":lock";

    /// <summary>Reads the name of an entry; null when it is the name of something else.</summary>
    /// <param name="text">A name in Redis.</param>
    public static CacheKey? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':', 5);
        if (parts.Length < 5 || parts[0] != "platform" || parts[4] is "~" || text.EndsWith(":~", StringComparison.Ordinal)
            || text.EndsWith(":lock", StringComparison.Ordinal)
            || CacheCatalogue.Find(parts[3]) is not { } cache || parts[1] != $"v{cache.Version}")
        {
            return null;
        }

        if (cache.Tag is null)
        {
            return new CacheKey(cache, parts[2], null, text);
        }

        var end = parts[4].IndexOf(':', StringComparison.Ordinal);
        return end <= 0 ? null : new CacheKey(cache, parts[2], parts[4][..end], text);
    }

    /// <summary>A pattern of the names of a tenant's entries, for a scan.</summary>
    /// <param name="tenant">The tenant's id; null for all tenants.</param>
    /// <param name="cache">The kind; null for all.</param>
    public static string Pattern(string? tenant, CacheDefinition? cache) => $"platform:v*:{tenant ?? "*"}:{cache?.Kind ?? "*"}:*";

    // What callers name a thing by has any characters; a slug or an id stays as it is, to be read by people.
    private static string TagOf(string? name) => name is null ? "-"
        : name.Length <= 100 && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' && name.Length > 1) ? name
        : Hash(name);

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));

    private static void Check(string part)
    {
        ArgumentException.ThrowIfNullOrEmpty(part);
        if (part.Length > MaxIdBytes / 3 && Encoding.UTF8.GetByteCount(part) > MaxIdBytes || part.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0)
        {
            throw new ArgumentException($"A part of a cache key must have at most {MaxIdBytes} bytes and no control characters.", nameof(part));
        }
    }

    private static void CheckTag(string tag)
    {
        Check(tag);
        if (tag.Contains(':', StringComparison.Ordinal))
        {
            throw new ArgumentException("A tag must have no colon.", nameof(tag));
        }
    }
}
