using Microsoft.Extensions.Options;
using Platform.Gateway;
using Platform.Gateway.Engine;

// Before the first socket is made: what came in is worked on by the thread that saw it come, not handed to another one.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

// A wrong setting or an engine that does not come is said in one sentence and ends the process with an error.
try
{
    await using var app = GatewayApplication.Build(args);
    await GatewayApplication.RunAsync(app, CancellationToken.None);
    return 0;
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, e.Failures));
    return 2;
}
catch (Exception e) when (e is EngineStartupException or IOException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
catch (OperationCanceledException)
{
    // Stopped while it was still waiting for the engine.
    return 0;
}
