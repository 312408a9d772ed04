using System.Diagnostics;
using Microsoft.Extensions.Caching.Memory;
using MongoDB.Driver;
using Platform.Data.Documents;
using Platform.Data.Rules;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;

namespace Platform.Api.Tenants;

/// <summary>
/// The tenants in the database. Look-ups by slug, which every request makes, are remembered for a short while.
/// </summary>
public sealed class TenantDirectory(
    PlatformDatabase database, MongoResilience resilience) : ITenantDirectory, IDisposable
{
    // How long a suspended tenant may still be served, and a new one still be unknown.
    private static readonly TimeSpan s_remember = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_rememberUnknown = TimeSpan.FromSeconds(5);

    private static readonly SchemaNode Slug = DocumentRules.Of((Tenant tenant) => tenant.Slug);

    // Bounded, since anyone can ask for slugs that do not exist.
    private readonly MemoryCache _bySlug = new(new MemoryCacheOptions { SizeLimit = 10_000 });

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
        if (_bySlug.TryGetValue(slug, out Tenant? known))
        {
            return known;
        }

        // What no tenant can be called is not asked for.
        var violations = new List<RuleViolation>();
        Slug.Evaluate(slug, "", violations);
        if (violations.Count > 0)
        {
            return null;
        }

        // What is remembered was true when it was asked for, however long the answer was on the way.
        var asked = Stopwatch.GetTimestamp();
        var found = await resilience.RunAsync(
            "find tenant", Repetition.Allowed, token => database.FindTenantAsync(slug, token), cancellationToken);
        var active = found is { Status: TenantStatus.Active } ? found : null;
        var left = (active is null ? s_rememberUnknown : s_remember) - Stopwatch.GetElapsedTime(asked);
        if (left > TimeSpan.Zero)
        {
            _bySlug.Set(slug, active, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = left });
        }

        return active;
    }

    /// <inheritdoc/>
    public void Dispose() => _bySlug.Dispose();
}
