namespace Platform.Api.Contracts;

/// <summary>What was sold on a day.</summary>
/// <param name="Day">The day (UTC).</param>
/// <param name="Sales">How many lines of orders.</param>
/// <param name="Quantity">How many pieces.</param>
/// <param name="Total">What was paid for them.</param>
/// <param name="Currency">The currency of the total, as an ISO 4217 code.</param>
public sealed record SalesOfDay(DateOnly Day, long Sales, long Quantity, decimal Total, string Currency);
