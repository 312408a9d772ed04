using System.Diagnostics;
using System.Globalization;

namespace Platform.Benchmarks;

/// <summary>
/// How long the whole graph takes from the start of the AppHost until its API is healthy, on data that is there already: the
/// start that a developer waits for every day. The first start, which makes the data, is not counted.
/// </summary>
internal static class StartupBenchmark
{
    /// <summary>Its name on the command line.</summary>
    public const string Name = "startup";

    private const int Starts = 5;

    // Among the steps of a start; in MiB.
    private const string MemoryOf = "memory of ";

    // In the environment of all that a start starts.
    private const string Mark = "BENCH_STARTUP";

    private const double Target = 12; // seconds
    private const double MostMemory = 2048; // MiB
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Runs it.</summary>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("platform-startup-");
        try
        {
            await StartAsync(directory.FullName, cancellationToken);
            var timelines = new List<Dictionary<string, double>>();
            for (var i = 1; i <= Starts; i++)
            {
                var timeline = await StartAsync(directory.FullName, cancellationToken);
                timelines.Add(timeline);
                Report.Say(string.Create(
                    CultureInfo.InvariantCulture,
                    $"start {i}: {timeline["api healthy"]:0.0} s until the API was healthy, {timeline["stopped"]:0.0} s to stop"));
            }

            Report.Say($"Seconds after the start of the AppHost (median of {Starts}):");
            foreach (var (step, seconds) in timelines[0].Keys
                .Where(step => step != "stopped" && !step.StartsWith(MemoryOf, StringComparison.Ordinal))
                .Where(step => timelines.All(timeline => timeline.ContainsKey(step)))
                .Select(step => (step, Median(timelines.Select(timeline => timeline[step]))))
                .OrderBy(entry => entry.Item2))
            {
                Report.Say(string.Create(CultureInfo.InvariantCulture, $"  {seconds,6:0.0}  {step}"));
            }

            Report.Say("MiB of memory when everything is ready (last start):");
            foreach (var (program, mebibytes) in timelines[^1].Where(entry => entry.Key.StartsWith(MemoryOf, StringComparison.Ordinal)))
            {
                Report.Say(string.Create(CultureInfo.InvariantCulture, $"  {mebibytes,6:0}  {program[MemoryOf.Length..]}"));
            }

            report.AtMost(
                "memory-mib", timelines[^1].Where(entry => entry.Key.StartsWith(MemoryOf, StringComparison.Ordinal)).Sum(entry => entry.Value), MostMemory);
            report.AtMost("warm-start-s", Median(timelines.Select(timeline => timeline["api healthy"])), Target);
            report.AtMost("stop-s", Median(timelines.Select(timeline => timeline["stopped"])), 10);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    // One start and stop; each step with the seconds after the start, "stopped" with the seconds after the request to stop.
    private static async Task<Dictionary<string, double>> StartAsync(string directory, CancellationToken cancellationToken)
    {
        var stack = Path.Combine(directory, "run", "stack");
        Directory.CreateDirectory(Path.GetDirectoryName(stack)!);
        File.Delete(stack);
        var port = FreePort.Find();
        var watch = Stopwatch.StartNew();
        var timeline = new Dictionary<string, double>();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
        await using (var appHost = ServerProcess.Start(
            BuiltProgram.Path("AppHost"),
            [
                "--environment", "Development",
                $"--Platform:DataDirectory={Path.Combine(directory, "data")}",
                $"--Platform:StackFile={stack}",
                $"--Platform:ApiPort={port}",
            ],
            new Dictionary<string, string?>
            {
                [Mark] = directory,
                // As ./platform run does.
                ["DOTNET_EnableWriteXorExecute"] = "0",
                ["DOTNET_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePort.Find()}",
                ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
                ["Platform__Engine"] = "documentdb",
            }))
        {
            await appHost.UntilAsync(
                async () =>
                {
                    var state = Note(stack, timeline, watch.Elapsed.TotalSeconds);
                    if (!timeline.ContainsKey("api healthy") && await IsHealthyAsync(http, port, cancellationToken))
                    {
                        timeline["api healthy"] = watch.Elapsed.TotalSeconds;
                    }

                    return state == "failed"
                        ? throw new BenchmarkException($"The stack failed to start: {File.ReadAllText(stack)}")
                        : state == "ready" && timeline.ContainsKey("api healthy");
                },
                Patience,
                cancellationToken);
            timeline["everything ready"] = watch.Elapsed.TotalSeconds;
            foreach (var (program, mebibytes) in ProcessTree.Memory(ProcessTree.Marked($"{Mark}={directory}")))
            {
                timeline[MemoryOf + program] = mebibytes;
            }

            watch.Restart();
        }

        timeline["stopped"] = watch.Elapsed.TotalSeconds;
        return timeline;
    }

    // The AppHost renames the file into place, so what is read is whole.
    private static string? Note(string stack, Dictionary<string, double> timeline, double now)
    {
        if (!File.Exists(stack))
        {
            return null;
        }

        const string Resource = "resource.";
        string? state = null;
        foreach (var entry in File.ReadLines(stack).Select(line => line.Split('=', 2)))
        {
            if (entry[0] == "state")
            {
                state = entry[1];
            }
            else if (entry[0].StartsWith(Resource, StringComparison.Ordinal) && entry[1] is "Running" or "Finished")
            {
                timeline.TryAdd($"{entry[0][Resource.Length..]} {entry[1].ToLowerInvariant()}", now);
            }
        }

        return state;
    }

    private static async Task<bool> IsHealthyAsync(HttpClient http, int port, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // nothing listens yet
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false; // the proxy holds the connection until the API listens
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
