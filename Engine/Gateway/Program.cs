using Platform;
using Platform.Audit;
using Platform.Gateway;
using Platform.Gateway.Backend;
using Platform.ServiceDefaults;

// Before the first socket is made: what came in is worked on by the thread that saw it come, not handed to another one.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

return await ServiceProgram.RunAsync(
    "gateway",
    async () =>
    {
        try
        {
            await using var app = GatewayApplication.Build(args);
            await GatewayApplication.RunAsync(app, CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            // Stopped while it was still waiting for the backend.
        }
    },
    exception => exception switch
    {
        BackendStartupException => ExitCodes.Unavailable,
        AuditUnavailableException => ExitCodes.CannotCreate,
        IOException => ExitCodes.Failure,
        _ => null,
    });
