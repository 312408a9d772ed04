namespace Platform.Api.Contracts;

/// <summary>A tenant in the list of tenants.</summary>
/// <param name="Id">The tenant's id.</param>
/// <param name="Slug">The tenant's name in paths.</param>
/// <param name="Name">The name shown to people.</param>
/// <param name="Currency">The currency of its prices, as an ISO 4217 code.</param>
public sealed record TenantSummary(string Id, string Slug, string Name, string Currency);
