namespace Platform.Api.Callers;

/// <summary>Who sent a request, as a token of the issuer says.</summary>
/// <param name="Subject">The caller's name at the issuer (<c>sub</c>).</param>
/// <param name="Tenant">The slug of the tenant that the caller belongs to; null for an administrator of all of them.</param>
/// <param name="Roles">What the caller is.</param>
internal sealed record Caller(string Subject, string? Tenant, IReadOnlySet<string> Roles)
{
    /// <summary>The caller of a request; null when nobody has shown who it is.</summary>
    /// <param name="http">The request.</param>
    public static Caller? Of(HttpContext http) => http.Features.Get<Caller>();

    /// <summary>Whether the caller may do anything with a tenant.</summary>
    /// <param name="tenant">The tenant's slug.</param>
    public bool BelongsTo(string tenant) => Tenant is null || Tenant == tenant;
}
