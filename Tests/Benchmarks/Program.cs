using Platform.Benchmarks;

if (args is [EchoServer.Argument, var port])
{
    EchoServer.Serve(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
    return 0;
}

// Usage: Platform.Benchmarks NAME. Every figure is a line "bench NAME FIGURE=value target=value ok|short"; the exit
// code says whether the benchmark ran, not whether it met its targets.
Dictionary<string, Func<BenchmarkServer, Report, CancellationToken, Task>> benchmarks = new()
{
    ["connections"] = ConnectionsBenchmark.RunAsync,
    ["spike"] = SpikeBenchmark.RunAsync,
    ["gateway"] = GatewayBenchmark.RunAsync,
    ["gateway --soak"] = (server, report, cancellation) => GatewaySoak.RunAsync(server, report, TimeSpan.FromMinutes(10), cancellation),
    ["seed"] = SeedBenchmark.RunAsync,
    [StartupBenchmark.Name] = (_, report, token) => StartupBenchmark.RunAsync(report, token),
    ["migrations"] = MigrationsBenchmark.RunAsync,
    ["migration-lock"] = MigrationLockBenchmark.RunAsync,
    ["indexes"] = IndexesBenchmark.RunAsync,
};
var name = string.Join(' ', args);
if (!benchmarks.TryGetValue(name, out var benchmark))
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
    await using var server = await BenchmarkServer.StartAsync(name == "gateway --soak" ? GatewaySoak.Settings : new Dictionary<string, string>(), interrupted.Token);
    await benchmark(server, new Report(args[0]), interrupted.Token);
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
