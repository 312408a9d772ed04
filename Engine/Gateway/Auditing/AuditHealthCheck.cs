using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.Gateway.Auditing;

/// <summary>Healthy while the audit log can be written, or is off.</summary>
internal sealed class AuditHealthCheck(Auditor auditor) : IHealthCheck
{
    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        auditor.Trouble is { } trouble
            ? new HealthCheckResult(
                context.Registration.FailureStatus, $"The audit log cannot be written, so logins and changes of users and structure are refused: {trouble}")
            : HealthCheckResult.Healthy(auditor.IsOn ? "The audit log is written." : "There is no audit log."));
}
