using System.Globalization;
using Platform.Benchmarks;

if (args is [EchoServer.Argument, var port])
{
    EchoServer.Serve(int.Parse(port, CultureInfo.InvariantCulture));
    return 0;
}

if (args is [CannedServer.Argument, var canned])
{
    CannedServer.Serve(int.Parse(canned, CultureInfo.InvariantCulture));
    return 0;
}

if (args is [OtlpSink.Argument, var sink])
{
    await OtlpSink.ServeAsync(sink);
    return 0;
}

if (args is [CacheBenchmark.CallerArgument])
{
    await CacheBenchmark.CallAsync();
    return 0;
}

// Usage: Platform.Benchmarks NAME. Every figure is a line "bench NAME FIGURE=value target=value ok|short"; the exit
// code says whether the benchmark ran, not whether it met its targets.
Dictionary<string, Func<Report, CancellationToken, Task>> benchmarks = new()
{
    ["connections"] = OnServer(ConnectionsBenchmark.RunAsync),
    ["spike"] = OnServer(SpikeBenchmark.RunAsync),
    ["gateway"] = OnServer(GatewayBenchmark.RunAsync),
    ["gateway --soak"] = OnServer((server, report, token) => GatewaySoak.RunAsync(server, report, TimeSpan.FromMinutes(10), token), GatewaySoak.Settings),
    ["gateway --model"] = OnServer((server, report, token) => GatewayModel.RunAsync(server, report, GatewayModel.Sequences, token)),
    ["seed"] = OnServer(SeedBenchmark.RunAsync),
    [ApiBenchmark.Name] = OnServer(ApiBenchmark.RunAsync),
    [TokensBenchmark.Name] = OnServer(TokensBenchmark.RunAsync),
    ["orders"] = OnServer(OrdersBenchmark.RunAsync),
    ["changes"] = OnServer(ChangesBenchmark.RunAsync),
    [StartupBenchmark.Name] = StartupBenchmark.RunAsync, // the graph has servers of its own
    ["failover"] = FailoverBenchmark.RunAsync, // on a replica set of three members
    ["migrations"] = OnServer(MigrationsBenchmark.RunAsync),
    ["transforms"] = OnServer(MigrationsBenchmark.TransformsAsync),
    ["migration-lock"] = OnServer(MigrationLockBenchmark.RunAsync),
    ["indexes"] = OnServer(IndexesBenchmark.RunAsync),
    [CacheBenchmark.Name] = CacheBenchmark.RunAsync, // on Redis alone
    ["search"] = OnServer(SearchBenchmark.RunAsync),
    [ShardingBenchmark.Name] = OnServer(ShardingBenchmark.RunAsync),
    ["security"] = OnServer(SecurityBenchmark.RunAsync),
    [AtRestBenchmark.Name] = AtRestBenchmark.RunAsync, // on sets of one member
    [BackupBenchmark.Name] = BackupBenchmark.RunAsync, // on a set of one member that archives
    [MonitoringBenchmark.Name] = OnServer(MonitoringBenchmark.RunAsync),
};
if (args is ["gateway", "--model", var count] && int.TryParse(count, CultureInfo.InvariantCulture, out var sequences) && sequences > 0)
{
    benchmarks[$"gateway --model {count}"] = OnServer((server, report, token) => GatewayModel.RunAsync(server, report, sequences, token));
}

var name = string.Join(' ', args);
if (args is ["gateway", GatewayFuzz.Argument, var given, .. var seed] && GatewayFuzz.TryParse(given, out var duration))
{
    name = $"gateway {GatewayFuzz.Argument} DURATION";
    benchmarks[name] = OnServer((server, report, token) => GatewayFuzz.RunAsync(server, report, duration, seed, token), GatewayFuzz.Settings);
}

if (args is ["http", HttpFuzzBenchmark.Argument, .. { Length: <= 2 } numbers]
    && numbers.All(number => int.TryParse(number, CultureInfo.InvariantCulture, out var value) && value > 0))
{
    benchmarks[name] = OnServer((server, report, token) => HttpFuzzBenchmark.RunAsync(
        server, report, [.. numbers.Select(number => int.Parse(number, CultureInfo.InvariantCulture))], token));
}

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
    await benchmark(new Report(args[0]), interrupted.Token);
    return 0;
}
catch (Exception exception) when (exception is BenchmarkException or ServerFailedException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    return 130;
}

// A benchmark that measures on PostgreSQL and the gateway, which are started for it.
static Func<Report, CancellationToken, Task> OnServer(
    Func<BenchmarkServer, Report, CancellationToken, Task> benchmark, IReadOnlyDictionary<string, string>? settings = null)
    => async (report, token) =>
    {
        await using var server = await BenchmarkServer.StartAsync(settings ?? new Dictionary<string, string>(), token);
        await benchmark(server, report, token);
    };
