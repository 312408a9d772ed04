using Platform.Benchmarks;

// Usage: Platform.Benchmarks connections|spike. Every figure is a line "bench NAME FIGURE=value target=value ok|short"; the exit
// code says whether the benchmark ran, not whether it met its targets.
if (args is not [var name] || name is not ("connections" or "spike"))
{
    Console.Error.WriteLine("There are the benchmarks connections and spike.");
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
    var report = new Report(name);
    if (name == "connections")
    {
        await ConnectionsBenchmark.RunAsync(server, report, interrupted.Token);
    }
    else
    {
        await SpikeBenchmark.RunAsync(server, report, interrupted.Token);
    }

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
