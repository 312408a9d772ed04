namespace Platform.AppHost.Services;

internal static class CallerExtensions
{
    /// <summary>
    /// Has a deployment say who may call the API, under which hosts, and by which proxies: it does not start before it knows, and none comes up open because
    /// somebody forgot. Here it is open to this machine.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithCallers(this IResourceBuilder<ProjectResource> api)
    {
        // Else Aspire would have the API believe whatever anybody says of an address.
        api.DisableForwardedHeaders();
        var builder = api.ApplicationBuilder;
        return builder.ExecutionContext.IsRunMode
            ? api
            : api.WithEnvironment(SettingNames.AllowedHosts, builder.AddParameter("api-hosts"))
                .WithEnvironment(SettingNames.ApiAuthenticationMode, builder.AddParameter("api-authentication"))
                .WithEnvironment(SettingNames.ApiAuthority, builder.AddParameter("api-authority", "", publishValueAsDefault: true))
                .WithEnvironment(SettingNames.ApiAudience, builder.AddParameter("api-audience", "", publishValueAsDefault: true))
                .WithEnvironment(SettingNames.ApiProxies, builder.AddParameter("api-proxies", "", publishValueAsDefault: true));
    }
}
