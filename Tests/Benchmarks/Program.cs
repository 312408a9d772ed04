using Platform.Benchmarks;

// Usage: Platform.Benchmarks NAME. Every figure is a line "bench NAME FIGURE=value target=value ok|short"; the exit
// code says whether the benchmark ran, not whether it met its targets.
Dictionary<string, Func<BenchmarkServer, Report, CancellationToken, Task>> benchmarks = new()
{
    ["connections"] = ConnectionsBenchmark.RunAsync,
    ["spike"] = SpikeBenchmark.RunAsync,
    ["seed"] = SeedBenchmark.RunAsync,
    [StartupBenchmark.Name] = (_, report, token) => StartupBenchmark.RunAsync(report, token),
    ["migrations"] = MigrationsBenchmark.RunAsync,
    ["migration-lock"] = MigrationLockBenchmark.RunAsync,
};
if (args is not [var name] || !benchmarks.TryGetValue(name, out var benchmark))
{
    Console.Error.WriteLine($"There are the benchmarks {string.Join(", ", benchmarks.Keys)}.");
    return 2;
}

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    interrupted.Cancel();
};

try
{
    await using var server = await BenchmarkServer.StartAsync(interrupted.Token);
    await benchmark(server, new Report(name), interrupted.Token);
    return 0;
}
catch (BenchmarkException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    return 130;
}
