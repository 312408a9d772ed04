using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.Backup.Agent;

/// <summary>
/// Whether the database could be restored: unhealthy with what a person has to look at, and degraded while the first backup is still to come.
/// </summary>
internal sealed class BackupHealthCheck(AgentState state) : IHealthCheck
{
    /// <summary>The name under which it is registered.</summary>
    public const string Name = "backups";

    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(Judge());

    private HealthCheckResult Judge()
    {
        if (state.Failure is { } failure)
        {
            return HealthCheckResult.Unhealthy($"The {failure.Work} failed at {failure.At.UtcDateTime:u}: {failure.Sentence}");
        }

        return state.Status switch
        {
            null => HealthCheckResult.Degraded("The agent has not looked yet."),
            { Newest: null, Backups: 0 } => HealthCheckResult.Degraded("The first backup is still to come."),
            { Problems: { Count: > 0 } problems } => HealthCheckResult.Unhealthy(string.Join(" ", problems)),
            { Newest: { } newest, Window: var window } => HealthCheckResult.Healthy(
                $"The newest backup is {newest.Label}; every moment from {window.From?.UtcDateTime:u} to about {window.Until?.UtcDateTime:u} can be restored."),
            _ => HealthCheckResult.Degraded("No backup is proven yet."),
        };
    }
}
