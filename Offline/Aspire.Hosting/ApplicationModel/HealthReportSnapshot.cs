using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The last result of a health check.</summary>
/// <param name="Name">The key of the check.</param>
/// <param name="Status">The result; null: the check has not run yet.</param>
/// <param name="Description">What the check says of it.</param>
/// <param name="ExceptionText">The exception that made the check fail.</param>
public sealed record HealthReportSnapshot(string Name, HealthStatus? Status, string? Description, string? ExceptionText)
{
    /// <summary>When the check last ran, in UTC.</summary>
    public DateTime? LastRunAt { get; init; }
}
