using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Rules;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;

namespace Platform.Api.Tenants;

/// <summary>The tenants in the database. Look-ups by slug, which every request makes, are cached.</summary>
public sealed class TenantDirectory(PlatformDatabase database, MongoResilience resilience, DataCaches caches) : ITenantDirectory
{
    // Longer than any slug; what is longer is not even looked up.
    private const int MaxSlug = 100;

    private static readonly SchemaNode Slug = DocumentRules.Of((Tenant tenant) => tenant.Slug);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Tenant>> ListAsync(CancellationToken cancellationToken) =>
        await resilience.RunAsync(
            "list tenants",
            Repetition.Allowed,
            token => database.Tenants.Find(tenant => tenant.Status == TenantStatus.Active, PlatformDatabase.InTime())
                .SortBy(tenant => tenant.Slug)
                .Limit(1000)
                .ToListAsync(token),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<Tenant?> FindAsync(string slug, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(slug);
        if (slug.Length is 0 or > MaxSlug || !slug.All(char.IsAscii) || slug.Any(char.IsControl))
        {
            return null;
        }

        var cache = caches[CacheCatalogue.Tenants];
        var key = CacheKeys.Tenant(slug);
        if (!cache.TryGet(key, out var answer))
        {
            answer = await ReadAsync(cache, key, slug, cancellationToken);
        }

        return answer.Entry.Exists ? answer.Entry.As(Read) : null;
    }

    private static Tenant Read(ReadOnlyMemory<byte> content) => BsonSerializer.Deserialize<Tenant>(content.ToArray());

    private ValueTask<CacheAnswer> ReadAsync(DataCache cache, CacheKey key, string slug, CancellationToken cancellationToken) => cache.GetAsync(
        key,
        async token =>
        {
            // What no tenant can be called is not asked for.
            var violations = new List<RuleViolation>();
            Slug.Evaluate(slug, "", violations);
            if (violations.Count > 0)
            {
                return null;
            }

            var found = await resilience.RunAsync("find tenant", Repetition.Allowed, read => database.FindTenantAsync(slug, read), token);
            return found is { Status: TenantStatus.Active } ? found.ToBson() : null;
        },
        cancellationToken);
}
