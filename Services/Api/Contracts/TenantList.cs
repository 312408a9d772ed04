namespace Platform.Api.Contracts;

/// <summary>The tenants.</summary>
/// <param name="Items">The active tenants by name in paths.</param>
public sealed record TenantList(IReadOnlyList<TenantSummary> Items);
