namespace Platform.Api.Contracts;

/// <summary>Stores near a place, the nearest first.</summary>
/// <param name="Items">The open stores within the distance asked for, at most 100.</param>
public sealed record NearStores(IReadOnlyList<NearStore> Items);
