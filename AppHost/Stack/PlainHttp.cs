namespace Platform.AppHost.Stack;

internal static class PlainHttp
{
    /// <summary>
    /// Lets resources without an https endpoint do without the development certificate. Everything here speaks over loopback, so
    /// a machine on which nobody has set up and trusted one is no reason for an error on every page of the dashboard. With a launch
    /// profile whose dashboard is on https, the dashboard still asks for it.
    /// </summary>
    public static IDistributedApplicationBuilder NeedNoCertificate(this IDistributedApplicationBuilder builder)
    {
        builder.Eventing.Subscribe<BeforeStartEvent>((start, _) =>
        {
            foreach (var resource in start.Model.Resources.Where(resource =>
                !resource.Annotations.OfType<EndpointAnnotation>().Any(endpoint => endpoint.UriScheme == "https")))
            {
                resource.Annotations.Add(new HttpsCertificateAnnotation { UseDeveloperCertificate = false });
            }

            return Task.CompletedTask;
        });
        return builder;
    }
}
