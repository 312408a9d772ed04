namespace Platform.Tests.TestKit.Http;

/// <summary>What the fuzzed service knows, so that requests come further than to "unknown".</summary>
/// <param name="Tenant">The slug of a tenant.</param>
/// <param name="Customer">The id of a customer.</param>
/// <param name="Store">The id of an open store.</param>
/// <param name="Product">The id of a product on sale that the store has plenty of.</param>
/// <param name="Category">The slug of a category.</param>
public sealed record FuzzShop(string Tenant, string Customer, string Store, string Product, string Category);
