namespace Platform.Api.Contracts;

/// <summary>The stock of a product in one store.</summary>
/// <param name="StoreId">The store's id.</param>
/// <param name="Available">Pieces that can be ordered there.</param>
public sealed record StoreStock(string StoreId, int Available);
