using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Platform.Benchmarks;

/// <summary>
/// The scripts that compare the gateway with a model and with mingo, in large: generated sequences of the Node.js driver's and Mongoose's
/// operations by eight clients, answers lost, and as many queries.
/// </summary>
internal static partial class GatewayModel
{
    /// <summary>How many sequences there are when nobody asks for another number.</summary>
    public const int Sequences = 20_000;

    private static readonly string[] s_packages = ["mingo", "mongodb", "mongoose"];

    /// <summary>Runs it.</summary>
    /// <exception cref="BenchmarkException">Something did not agree.</exception>
    public static async Task RunAsync(BenchmarkServer server, Report report, int sequences, CancellationToken cancellationToken)
    {
        foreach (var package in s_packages)
        {
            if (!Directory.Exists(Path.Combine(NodeTools.Modules, package)))
            {
                throw new BenchmarkException($"The npm package '{package}' is missing in {NodeTools.Modules}: run './platform setup'.");
            }
        }

        var count = sequences.ToString(CultureInfo.InvariantCulture);
        var model = await CompareAsync(server, ["model.js", "model", "--sequences", count], cancellationToken);
        var oracle = await CompareAsync(server, ["oracle.js", "oracle", "--queries", count], cancellationToken);
        report.AtMost("model_disagreements", model, 0);
        report.AtMost("oracle_disagreements", oracle, 0);
        if (model + oracle > 0)
        {
            throw new BenchmarkException("The gateway answers something else than is expected of MongoDB: see the disagreements above.");
        }
    }

    // Prints what the script says and returns the number of disagreements, which is in its last line.
    private static async Task<int> CompareAsync(BenchmarkServer server, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("node", [Path.Combine(AppContext.BaseDirectory, "Model", arguments[0]), .. arguments[1..]])
            {
                Environment = { ["NODE_PATH"] = NodeTools.Modules, ["MODEL_URI"] = server.ConnectionString },
                RedirectStandardOutput = true,
            },
        };
        process.Start();
        int? disagreements = null;
        try
        {
            while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            {
                Report.Say(line);
                if (Disagreements().Match(line) is { Success: true } match)
                {
                    disagreements = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
                }
            }

            await process.WaitForExitAsync(cancellationToken);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return disagreements ?? throw new BenchmarkException($"{arguments[0]} ended with {process.ExitCode} before it had compared everything.");
    }

    [GeneratedRegex(@"^(?:model|oracle): .*\b([0-9]+) disagreements\b")]
    private static partial Regex Disagreements();
}
