using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.Benchmarks;

/// <summary>Takes telemetry (OTLP over HTTP) and forgets it: what sending it costs, without what somebody does with it.</summary>
internal static class OtlpSink
{
    /// <summary>The argument that makes the benchmark program this server.</summary>
    public const string Argument = "--otlp-sink";

    /// <summary>Starts the server in a process of its own.</summary>
    public static ServerProcess Start(int port) => BlockingServer.Start(Argument, port);

    /// <summary>Serves until the process is ended.</summary>
    public static async Task ServeAsync(string port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        await using var app = builder.Build();
        app.Run(async http =>
        {
            await http.Request.Body.CopyToAsync(Stream.Null, http.RequestAborted);
            http.Response.ContentType = "application/x-protobuf";
        });
        await app.RunAsync();
    }
}
