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
            Environment = { ["NODE_PATH"] = NodeTools.Modules, ["BENCH_URI"] = connectionString },
        };

    /// <summary>Runs a script of Peers/ and reads the one JSON value that it prints.</summary>
    /// <exception cref="BenchmarkException">The script failed.</exception>
    public static async Task<JsonElement> RunAsync(string script, string connectionString, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Path.Combine(NodeTools.Modules, "mongodb")))
        {
            throw new BenchmarkException($"The npm package 'mongodb' is missing in {NodeTools.Modules}: run './platform setup'.");
        }

        var (exitCode, output, errors) = await ProgramResult.OfAsync(Start(script, connectionString, arguments), cancellationToken);
        return exitCode == 0 ? JsonDocument.Parse(output).RootElement.Clone() : throw new BenchmarkException($"{script} failed: {errors}");
    }
}
