using Platform.Gateway.Topology;

namespace Platform.Gateway.Backend;

/// <summary>Finds the backend again whenever it was lost.</summary>
internal sealed class BackendMonitor(BackendStartup startup, MemberState state) : BackgroundService
{
    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await state.WhenLost.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await startup.RecoverAsync(stoppingToken);
        }
    }
}
