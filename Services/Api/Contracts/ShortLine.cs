namespace Platform.Api.Contracts;

/// <summary>A line of an order that the stock of the store does not cover.</summary>
/// <param name="ProductId">The product's id.</param>
/// <param name="Requested">How many were ordered.</param>
/// <param name="Available">How many the store has.</param>
public sealed record ShortLine(string ProductId, int Requested, int Available);
