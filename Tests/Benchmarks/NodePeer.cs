using System.Diagnostics;
using System.Text.Json;

namespace Platform.Benchmarks;

/// <summary>The Node.js driver, in a process of its own.</summary>
internal static class NodePeer
{
    /// <summary>How to start a script of Peers/.</summary>
    public static ProcessStartInfo Start(string script, string connectionString, IEnumerable<string> arguments) =>
        new("node", [Path.Combine(AppContext.BaseDirectory, "Peers", script), .. arguments])
        {
            Environment = { ["NODE_PATH"] = BenchmarkServer.NodeModules, ["BENCH_URI"] = connectionString },
        };

    /// <summary>Runs a script of Peers/ and reads the one JSON value that it prints.</summary>
    /// <exception cref="BenchmarkException">The script failed.</exception>
    public static async Task<JsonElement> RunAsync(string script, string connectionString, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Path.Combine(BenchmarkServer.NodeModules, "mongodb")))
        {
            throw new BenchmarkException($"The npm package 'mongodb' is missing in {BenchmarkServer.NodeModules}: run './platform setup'.");
        }

        using var process = new Process { StartInfo = Start(script, connectionString, arguments) };
        process.StartInfo.RedirectStandardOutput = true;
        process.StartInfo.RedirectStandardError = true;
        process.Start();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return process.ExitCode == 0
            ? JsonDocument.Parse(await output).RootElement.Clone()
            : throw new BenchmarkException($"{script} failed: {await errors}");
    }
}
