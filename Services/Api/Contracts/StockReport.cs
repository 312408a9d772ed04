namespace Platform.Api.Contracts;

/// <summary>How the stock of a product in a store changed in a period.</summary>
/// <param name="From">The first day (UTC).</param>
/// <param name="To">The last day (UTC).</param>
/// <param name="Changes">The changes, the latest first.</param>
/// <param name="More">Whether there were more in the period than were asked for.</param>
public sealed record StockReport(DateOnly From, DateOnly To, IReadOnlyList<StockChange> Changes, bool More);
