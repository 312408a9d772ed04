using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Platform.Api.Callers;

/// <summary>The proxies that may say where a request came from.</summary>
internal static class ProxyNetworks
{
    /// <summary>
    /// Has the client's address and scheme be what the proxies say of it. Whatever another one says of itself is left unread. Of several entries the last is
    /// looked at first, and those before it as long as they are proxies.
    /// </summary>
    /// <param name="app">The web application.</param>
    public static void UseProxies(this WebApplication app)
    {
        var networks = AddressRange.ListOf(app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.Proxies) ?? [];
        if (networks.Count == 0)
        {
            return;
        }

        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            // As many as there are: each is believed only when the one before it is a proxy.
            ForwardLimit = null,
        };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in networks)
        {
            options.KnownIPNetworks.Add(network);
        }

        app.UseForwardedHeaders(options);
    }
}
