using Microsoft.Extensions.DependencyInjection;
using Platform.AppHost.Settings;
using Platform.Hosting.Security;

namespace Platform.AppHost.Security;

/// <summary>Where callers reach the API.</summary>
internal static class ApiEndpointExtensions
{
    /// <summary>The name of the API's one endpoint.</summary>
    public static string ApiEndpoint(this PlatformOptions options) => options.ApiHttps ? "https" : "http";

    /// <summary>
    /// Gives the API its endpoint: plain HTTP, or with <c>Platform:Api:Https</c> TLS 1.2 and 1.3 alone, with a certificate of this stack's authority. The
    /// API reads its files again when they change.
    /// </summary>
    /// <param name="api">The API.</param>
    /// <param name="options">The settings.</param>
    /// <param name="certificates">Who makes certificates; null where there are none.</param>
    /// <remarks><see href="https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/endpoints"/></remarks>
    public static IResourceBuilder<ProjectResource> WithApiEndpoint(
        this IResourceBuilder<ProjectResource> api, PlatformOptions options, StackCertificates? certificates)
    {
        if (!options.ApiHttps)
        {
            return api.WithHttpEndpoint(port: options.ApiPort);
        }

        var certificate = certificates!.Of(api.Resource.Name);
        TrustIn(api.ApplicationBuilder, TrustedAuthority.FromFile(certificate.CaFile));
        return api.WithHttpsEndpoint(port: options.ApiPort)
            .WithAnnotation(new HttpsCertificateAnnotation { UseDeveloperCertificate = false })
            .WithEnvironment("Kestrel__Certificates__Default__Path", certificate.File)
            .WithEnvironment("Kestrel__Certificates__Default__KeyPath", certificate.File)
            .WithEnvironment("Kestrel__EndpointDefaults__SslProtocols__0", "Tls12")
            .WithEnvironment("Kestrel__EndpointDefaults__SslProtocols__1", "Tls13");
    }

    // The health checks of the AppHost ask by its HTTP clients; what else they reach is trusted as before.
    private static void TrustIn(IDistributedApplicationBuilder builder, TrustedAuthority authority) =>
        builder.Services.ConfigureHttpClientDefaults(client => client.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
        {
            SslOptions =
            {
                RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
                    errors == System.Net.Security.SslPolicyErrors.None || authority.IsTrusted(sender, certificate, chain, errors),
            },
        }));
}
