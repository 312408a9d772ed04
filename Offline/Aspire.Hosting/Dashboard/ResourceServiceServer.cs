using System.Net;
using System.Security.Cryptography;
using System.Text;
using Aspire.Hosting.ApplicationModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dashboard;

/// <summary>
/// Serves the resource service on loopback: gRPC over HTTP/2 without TLS, with the API key in the header
/// <c>x-resource-service-api-key</c>. It is a web application of its own, so that no setting of the app host's reaches it.
/// </summary>
internal sealed class ResourceServiceServer(
    DashboardOptions options,
    ResourceNotificationService notifications,
    ResourceLoggerService logs,
    ResourceCommandService commands,
    IHostApplicationLifetime lifetime,
    ILoggerFactory loggers) : IAsyncDisposable
{
    private const string ApiKeyHeader = "x-resource-service-api-key";

    private readonly byte[]? _apiKey = options.ResourceServiceApiKey is { } key ? Encoding.UTF8.GetBytes(key) : null;
    private WebApplication? _application;

    /// <summary>Starts to listen.</summary>
    /// <returns>The URL.</returns>
    /// <exception cref="IOException">The port is taken.</exception>
    public async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            // The calls are idle for hours; the minimum rate would end the connection after five seconds.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
            kestrel.Listen(
                IPAddress.TryParse(options.ResourceService.Host, out var address) ? address : IPAddress.Loopback,
                options.ResourceService.Port,
                listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        // Every page that is opened and closed would write some lines below this level.
        builder.Services.AddLogging(logging => logging
            .SetMinimumLevel(LogLevel.Warning)
            .AddProvider(new ForwardingLoggerProvider(loggers)));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new ResourceServiceCalls(notifications, logs, commands, options, lifetime));
        var application = builder.Build();
        application.Use(CheckKeyAsync);
        application.UseRouting();
        application.MapGrpcService<ResourceServiceCalls>();
        await application.StartAsync(cancellationToken);
        _application = application;
        return application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _application, null) is { } application)
        {
            await application.StopAsync(CancellationToken.None);
            await application.DisposeAsync();
        }
    }

    private Task CheckKeyAsync(HttpContext context, RequestDelegate next)
    {
        if (_apiKey is not null
            && (context.Request.Headers[ApiKeyHeader] is not [{ } presented]
                || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(presented), _apiKey)))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }

        return next(context);
    }

    /// <summary>Signals end the app host, which then ends this server.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
