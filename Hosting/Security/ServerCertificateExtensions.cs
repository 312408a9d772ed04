using Microsoft.Extensions.DependencyInjection;

namespace Platform.Hosting.Security;

/// <summary>TLS for the servers of a graph.</summary>
public static class ServerCertificateExtensions
{
    /// <summary>
    /// Opens the certificate authority of a directory, and makes it where there is none. While the graph runs, certificates are renewed as a start renews them.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="directory">The directory; need not exist.</param>
    /// <param name="without">A sentence about how to do without, which messages end with; null: none.</param>
    /// <exception cref="DistributedApplicationException">What is there cannot be used: a sentence.</exception>
    public static StackCertificates AddServerCertificates(this IDistributedApplicationBuilder builder, string directory, string? without = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var certificates = StackCertificates.Open(directory, TimeProvider.System, without);
        builder.Services.AddHostedService(
            services => ActivatorUtilities.CreateInstance<CertificateRenewal>(services, certificates, TimeProvider.System));
        return certificates;
    }

    /// <summary>Marks a resource as one that is reached by TLS alone.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="certificate">Its certificate; null: it is reached without.</param>
    public static IResourceBuilder<T> WithEncryption<T>(this IResourceBuilder<T> resource, ServerCertificate? certificate)
        where T : IResource
    {
        ArgumentNullException.ThrowIfNull(resource);
        return certificate is null
            ? resource
            : resource.WithAnnotation(new EncryptedInTransit(certificate, TrustedAuthority.FromFile(certificate.CaFile)));
    }

    /// <summary>Takes away the health checks of Aspire's own, which ask without TLS or trust the machine's authorities.</summary>
    /// <param name="resource">The resource.</param>
    public static void RemoveHealthChecks(this IResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        foreach (var check in resource.Annotations.OfType<HealthCheckAnnotation>().ToList())
        {
            resource.Annotations.Remove(check);
        }
    }

    /// <summary>How clients of a resource know that it is it; null when it is reached without TLS.</summary>
    /// <param name="resource">The resource.</param>
    public static EncryptedInTransit? Encryption(this IResource resource) =>
        resource.TryGetLastAnnotation<EncryptedInTransit>(out var encrypted) ? encrypted : null;
}
