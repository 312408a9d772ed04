namespace Platform.Api.Contracts;

/// <summary>What was sold in a period.</summary>
/// <param name="From">The first day (UTC).</param>
/// <param name="To">The last day (UTC).</param>
/// <param name="Days">The days on which something was sold, the first day first.</param>
public sealed record SalesReport(DateOnly From, DateOnly To, IReadOnlyList<SalesOfDay> Days);
