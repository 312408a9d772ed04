using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dashboard;

/// <summary>Hands the resource service's log on to the app host's, which another container owns.</summary>
internal sealed class ForwardingLoggerProvider(ILoggerFactory target) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => target.CreateLogger(categoryName);

    public void Dispose()
    {
        // The target lives on.
    }
}
