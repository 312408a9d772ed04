using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.Gateway.Engine;

/// <summary>Healthy while commands can be served.</summary>
internal sealed class EngineHealthCheck(EngineState state) : IHealthCheck
{
    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(state.IsPrimary
            ? HealthCheckResult.Healthy("Commands are served.")
            : new HealthCheckResult(context.Registration.FailureStatus, "The engine is not available."));
}
