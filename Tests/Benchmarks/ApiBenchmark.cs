using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using StackExchange.Redis;

namespace Platform.Benchmarks;

/// <summary>
/// The API beside one that somebody would write with Fastify, Mongoose and ioredis, and beside itself with all its telemetry: each with a seeded
/// database of its own on the same servers, called in turns by the same callers.
/// </summary>
internal static class ApiBenchmark
{
    /// <summary>Its name on the command line.</summary>
    public const string Name = "api";

    private static readonly string[] s_names = [ApiServed.Peer, ApiServed.Ours, ApiServed.Told];

    // With what ours should do, in units of the peer's throughput.
    private static readonly (string Name, double Target)[] s_scenarios = [("cached", 1.5), ("uncached", 1.2), ("list", 1.2), ("order", 1.0)];

    // What drivers send for themselves, and what waits for changes.
    private static readonly HashSet<string> s_unasked =
        ["hello", "isMaster", "ismaster", "ping", "serverStatus", "getMore", "endSessions", "saslStart", "saslContinue", "killCursors"];

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(4);

    private static TimeSpan Turn => TimeSpan.FromSeconds(double.Parse(Setting("BENCH_SECONDS", "1.3"), CultureInfo.InvariantCulture));

    private static int Rounds => int.Parse(Setting("BENCH_ROUNDS", "2"), CultureInfo.InvariantCulture);

    private static string[] Scenarios => Setting("BENCH_SCENARIOS", string.Join(',', s_scenarios.Select(scenario => scenario.Name))).Split(',');

    private static int[] Callers => [.. Setting("BENCH_CALLERS", "1,16,64").Split(',').Select(callers => int.Parse(callers, CultureInfo.InvariantCulture))];

    /// <summary>Runs it: three minutes.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        await using var redis = await RedisProcess.StartAsync(cancellationToken);
        var telemetry = FreePort.Find();
        await using var sink = OtlpSink.Start(telemetry);
        var served = new List<ApiServed>();
        try
        {
            foreach (var name in s_names)
            {
                served.Add(await ApiServed.StartAsync(name, served.Count + 1, server, redis, telemetry, cancellationToken));
            }

            await using var cache = await ConnectionMultiplexer.ConnectAsync(
                string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{redis.Port},password={redis.Password},allowAdmin=true"));
            using var client = new MongoClient(server.ConnectionString);
            var bench = new Bench(server, redis, cache.GetServers()[0], client.GetDatabase("admin"));
            // Until its code is compiled for good, its connections are open and what is popular is cached.
            foreach (var api in served)
            {
                foreach (var (scenario, _) in s_scenarios)
                {
                    await bench.TurnAsync(api, scenario, 16, s_warmUp);
                }
            }

            foreach (var (scenario, target) in s_scenarios.Where(scenario => Scenarios.Contains(scenario.Name)))
            {
                foreach (var callers in Callers)
                {
                    Tell(report, scenario, target, callers, await CompareAsync(bench, served, scenario, callers, cancellationToken));
                }
            }
        }
        finally
        {
            foreach (var api in served)
            {
                await api.DisposeAsync();
            }
        }
    }

    private static async Task<Dictionary<string, ApiTurn>> CompareAsync(
        Bench bench, IReadOnlyList<ApiServed> served, string scenario, int callers, CancellationToken cancellationToken)
    {
        var turns = served.ToDictionary(api => api.Name, _ => new List<ApiTurn>());
        for (var round = 0; round < Rounds; round++)
        {
            // Nobody always comes first.
            foreach (var api in round % 2 == 0 ? served : served.Reverse())
            {
                cancellationToken.ThrowIfCancellationRequested();
                turns[api.Name].Add(await bench.TurnAsync(api, scenario, callers, Turn));
            }
        }

        return turns.ToDictionary(entry => entry.Key, entry => ApiTurn.Of(entry.Value));
    }

    private static void Tell(Report report, string scenario, double target, int callers, Dictionary<string, ApiTurn> turns)
    {
        Report.Say(string.Create(CultureInfo.InvariantCulture, $"{scenario}, {callers} callers:"));
        foreach (var (name, turn) in turns)
        {
            Report.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"  {name,-26} {turn.PerSecond,8:0} requests/s, p50 {turn.Quantile(0.5):0.00} ms, p99 {turn.Quantile(0.99):0.00} ms; processor time in µs: "
                    + $"client {1e6 * turn.Each(t => t.ClientSeconds):0}, program {1e6 * turn.Each(t => t.ProgramSeconds):0}, "
                    + $"servers {1e6 * turn.Each(t => t.ServerSeconds):0}; commands: MongoDB {turn.Each(t => t.MongoCommands):0.##}, "
                    + $"Redis {turn.Each(t => t.RedisCommands):0.##}"));
        }

        var (peer, ours, told) = (turns[ApiServed.Peer], turns[ApiServed.Ours], turns[ApiServed.Told]);
        var figure = string.Create(CultureInfo.InvariantCulture, $"{scenario}_{callers}");
        report.AtLeast($"{figure}_ratio", ours.PerSecond / peer.PerSecond, target);
        report.AtLeast($"{figure}_telemetry_share", told.PerSecond / ours.PerSecond, 0.9);
        if (scenario == "cached")
        {
            report.AtMost($"{figure}_p99_ms", ours.Quantile(0.99), peer.Quantile(0.99));
        }
    }

    private static string Setting(string name, string otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : otherwise;

    /// <summary>The servers, and what is measured at them.</summary>
    private sealed class Bench(BenchmarkServer server, RedisProcess redis, IServer cache, IMongoDatabase admin)
    {
        /// <summary>Has so many callers call one program for so long.</summary>
        public async Task<ApiTurn> TurnAsync(ApiServed api, string scenario, int callers, TimeSpan duration)
        {
            using var start = new ManualResetEventSlim();
            var times = new List<double>[callers];
            var stop = 0L;
            Exception? failure = null;
            var threads = Enumerable.Range(0, callers).Select(caller => new Thread(() =>
            {
                try
                {
                    using var http = new HttpCaller(api.Address);
                    times[caller] = new List<double>(4096);
                    start.Wait();
                    Call(http, api, scenario, times[caller], stop);
                }
#pragma warning disable CA1031 // Passed on below, from the thread that the benchmark runs on.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    failure = exception;
                }
            })).ToList();
            threads.ForEach(thread => thread.Start());

            var (mongoBefore, redisBefore) = (await MongoCommandsAsync(), await RedisCommandsAsync());
            var before = (Client: Environment.CpuUsage.TotalTime, Program: ProcessTree.ProcessorTime([api.Process]), Servers: ServersTime());
            var started = Stopwatch.GetTimestamp();
            stop = started + (long)(duration.TotalSeconds * Stopwatch.Frequency);
            start.Set();
            threads.ForEach(thread => thread.Join());
            var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (failure is not null)
            {
                throw new BenchmarkException($"{api.Name}, {scenario}: {failure.Message}{Environment.NewLine}{api.Output}");
            }

            return new ApiTurn(
                elapsed,
                [.. times.SelectMany(own => own).Order()],
                (Environment.CpuUsage.TotalTime - before.Client).TotalSeconds,
                (ProcessTree.ProcessorTime([api.Process]) - before.Program).TotalSeconds,
                (ServersTime() - before.Servers).TotalSeconds,
                await MongoCommandsAsync() - mongoBefore,
                await RedisCommandsAsync() - redisBefore);
        }

        private void Call(HttpCaller http, ApiServed api, string scenario, List<double> times, long stop)
        {
            while (Stopwatch.GetTimestamp() < stop)
            {
                var request = scenario switch
                {
                    "cached" => api.Shop.PopularProduct(),
                    "uncached" => Uncached(api),
                    "list" => api.Shop.List,
                    _ => api.Shop.NextOrder(),
                };
                var before = Stopwatch.GetTimestamp();
                var status = http.Send(request);
                times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
                if (status is not (200 or 201))
                {
                    throw new BenchmarkException($"A request is answered with {status}: {http.Answer}");
                }
            }
        }

        // No product is asked for twice before the cache is emptied.
        private ReadOnlySpan<byte> Uncached(ApiServed api)
        {
            var request = api.Shop.NextProduct(out var number);
            if (number % (api.Shop.Products / 2) == 0)
            {
                cache.FlushDatabase(api.Cache);
            }

            return request;
        }

        private TimeSpan ServersTime() => ProcessTree.ProcessorTime([server.Gateway.Id, server.Postgres.Id, redis.Process]);

        private async Task<double> MongoCommandsAsync()
        {
            var status = await admin.RunCommandAsync<BsonDocument>(new BsonDocument("serverStatus", 1));
            return status["metrics"]["commands"].AsBsonDocument.Where(command => !s_unasked.Contains(command.Name))
                .Sum(command => command.Value["total"].ToDouble());
        }

        // What this asks for counts, too, and is little.
        private async Task<double> RedisCommandsAsync() => double.Parse(
            (await cache.InfoAsync("stats")).SelectMany(group => group).Single(entry => entry.Key == "total_commands_processed").Value,
            CultureInfo.InvariantCulture);
    }
}
