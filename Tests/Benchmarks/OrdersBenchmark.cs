using System.Globalization;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>
/// Orders by many callers while connections between the API and its database break, callers hang up and ask again; and the books
/// afterwards. The proxy takes part by a seed, so a run that found something is repeated by it.
/// </summary>
internal static class OrdersBenchmark
{
    private const int Callers = 32;

    private static int Orders => Setting("BENCH_ORDERS", 10_000);

    private static int Seed => Setting("BENCH_SEED", 1);

    /// <summary>Runs it: minutes; <c>BENCH_ORDERS</c> and <c>BENCH_SEED</c> set other numbers.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        using var direct = new MongoClient(server.ConnectionString);
        var database = direct.GetDatabase("orders");
        var load = await OrderLoad.PrepareAsync(database, Orders, Seed, cancellationToken);
        await using var redis = await RedisProcess.StartAsync(cancellationToken);
        await using var proxy = new FaultProxy("127.0.0.1", server.Port, Seed);
        await using (var process = await ApiProcess.StartHealthyAsync(
            server.ConnectionStringOf(proxy.Port).Replace("/bench?", "/orders?", StringComparison.Ordinal),
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{redis.Port},password={redis.Password}"),
            [],
            cancellationToken))
        {
            foreach (var loss in OrderLoad.Losses)
            {
                proxy.Add(loss);
            }

            await load.RunAsync(process.Client, Callers, cancellationToken);
            proxy.Clear();
            await load.CheckAnswersAsync(process.Client, cancellationToken);
        }

        await load.DeliverAsync(cancellationToken);
        var wrong = await load.AuditAsync(cancellationToken);

        Report.Say(string.Create(CultureInfo.InvariantCulture, $"seed {Seed}; {load.Summary}"));
        foreach (var ((command, action), count) in proxy.Faults.OrderBy(fault => fault.Key))
        {
            Report.Say(string.Create(CultureInfo.InvariantCulture, $"{command} {FaultRule.NameOf(action)}: {count}"));
        }

        foreach (var sentence in wrong.Take(20))
        {
            Report.Say(sentence);
        }

        report.AtLeast("connections_cut", proxy.Faults.Where(fault => fault.Key.Action != FaultAction.DelayReply).Sum(fault => fault.Value), Orders / 20);
        report.AtMost("wrong", wrong.Count, 0);
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
