using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.Hosting.Security;

/// <summary>Renews the certificates of servers of a stack that runs for months, as a start does.</summary>
internal sealed partial class CertificateRenewal(StackCertificates certificates, TimeProvider time, ILogger<CertificateRenewal> logger) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromDays(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_pause, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    foreach (var server in certificates.Renew())
                    {
                        Renewed(server);
                    }
                }
                catch (DistributedApplicationException exception)
                {
                    NotRenewed(exception.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The graph stops.
        }
    }

    [LoggerMessage(
        LogLevel.Warning, "The certificate of {Server} was renewed. Gateways show the new one by themselves; mongod and Redis after their next start.")]
    private partial void Renewed(string server);

    [LoggerMessage(LogLevel.Error, "Certificates were not renewed, and are tried again tomorrow: {Reason}")]
    private partial void NotRenewed(string reason);
}
