using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Backend;

/// <summary>Healthy while commands of users can be served: it takes what a user would get, a connection to the backend that answers.</summary>
internal sealed class BackendHealthCheck(BackendPool pool, MemberState state, TimeProvider time) : IHealthCheck
{
    /// <summary>How long it waits for a connection and its answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <inheritdoc />
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!state.IsServing)
        {
            return Unhealthy("The backend is not available.");
        }

        using var patience = new CancellationTokenSource(Patience, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await using var lease = await pool.RentAsync(null, BackendShare.Health, ended.Token);
            await lease.Connection.RunAsync("SELECT 1", ended.Token);
            return HealthCheckResult.Healthy("Commands are served.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Unhealthy($"No connection to the backend was free, or it did not answer, within {Patience.TotalSeconds:0} s.");
        }
        catch (Exception e) when (ErrorMapping.ToCommandException(e, inTransaction: false) is { } error)
        {
            return Unhealthy(error.Message);
        }

        HealthCheckResult Unhealthy(string why) => new(context.Registration.FailureStatus, why);
    }
}
