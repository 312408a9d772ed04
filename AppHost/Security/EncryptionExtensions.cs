using Platform.AppHost.Settings;
using Platform.Hosting.Mongo;
using Platform.Hosting.Security;

namespace Platform.AppHost.Security;

/// <summary>TLS for the servers of the graph.</summary>
internal static class EncryptionExtensions
{
    /// <summary>
    /// The certificates of the graph's servers, made where there are none; null where there is no TLS, which the console is told, or where the servers are
    /// somebody else's, whose connection strings say how to connect.
    /// </summary>
    public static StackCertificates? AddCertificates(this IDistributedApplicationBuilder builder, PlatformOptions options)
    {
        if (!builder.ExecutionContext.IsRunMode || options.Engine == Engine.External)
        {
            return null;
        }

        if (options.Warning is { } warning)
        {
            Console.WriteLine($"WARNING: {warning}.");
            return null;
        }

        return builder.AddServerCertificates(Path.Combine(options.DataDirectory, "tls"), "Platform:Tls=false does without.");
    }
}
