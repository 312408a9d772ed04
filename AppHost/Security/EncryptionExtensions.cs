using Microsoft.Extensions.DependencyInjection;
using Platform.AppHost.Settings;

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

        var certificates = StackCertificates.Open(Path.Combine(options.DataDirectory, "tls"), TimeProvider.System);
        builder.Services.AddHostedService(
            services => ActivatorUtilities.CreateInstance<CertificateRenewal>(services, certificates, TimeProvider.System));
        return certificates;
    }

    /// <summary>Marks a resource as one that is reached by TLS alone.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="certificate">Its certificate; null: it is reached without.</param>
    public static IResourceBuilder<T> WithEncryption<T>(this IResourceBuilder<T> resource, ServerCertificate? certificate)
        where T : IResource
        => certificate is null ? resource : resource.WithAnnotation(new EncryptedInTransit(certificate, TrustedAuthority.FromFile(certificate.CaFile)));

    /// <summary>Takes away the health checks of Aspire's own, which ask without TLS or trust the machine's authorities.</summary>
    public static void RemoveHealthChecks(this IResource resource)
    {
        foreach (var check in resource.Annotations.OfType<HealthCheckAnnotation>().ToList())
        {
            resource.Annotations.Remove(check);
        }
    }

    /// <summary>How clients of a resource know that it is it; null when it is reached without TLS.</summary>
    public static EncryptedInTransit? Encryption(this IResource resource) =>
        resource.TryGetLastAnnotation<EncryptedInTransit>(out var encrypted) ? encrypted : null;
}
