namespace Platform.Tests.TestKit.Wire;

/// <content>For tests that have the fixture.</content>
internal sealed partial class WireClient
{
    /// <summary>Connects without logging in.</summary>
    public static Task<WireClient> ConnectAsync(GatewayFixture gateway, CancellationToken cancellationToken)
    {
        gateway.Require();
        return ConnectAsync(gateway.Port, cancellationToken);
    }
}
