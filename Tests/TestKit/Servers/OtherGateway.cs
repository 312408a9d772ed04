using Microsoft.AspNetCore.Builder;
using Platform.Gateway;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>One more gateway in front of the same backend, which knows as little of the first one as one that was started anew.</summary>
public sealed class OtherGateway(GatewayFixture gateway) : IAsyncLifetime
{
    private WebApplication? _application;

    /// <summary>Its port.</summary>
    public int Port { get; } = FreePort.Find();

    /// <summary>Further settings, as arguments.</summary>
    internal string[] Settings { get; init; } = [];

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        if (gateway.IsAvailable)
        {
            _application = GatewayFixture.Build(Port, gateway.EngineConnectionString, Settings);
            await GatewayApplication.StartAsync(_application, CancellationToken.None);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await _application.StopAsync();
            await _application.DisposeAsync();
        }
    }
}
