using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>
/// Failovers of a replica set of three members under clients who count what they write, a change stream that counts what it tells, and clients who
/// use registers; and whether anything is lost, doubled or out of order afterwards.
/// </summary>
internal static class FailoverBenchmark
{
    private const int Writers = 4;
    private const int Registers = 4;
    private const int ClientsOfRegister = 3;

    // Longer than the members wait for a primary that is silent.
    private static readonly TimeSpan LongestSuspension = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // In this order, so that the rare ones are among the many.
    private static readonly Failure[] Failures =
    [
        .. Enumerable.Range(0, 20).Select(number => number switch
        {
            2 or 9 or 16 => Failure.KillGateway,
            5 or 13 => Failure.StepDown,
            3 or 7 or 11 or 15 or 18 => Failure.SuspendMember,
            _ => Failure.KillMember,
        }),
    ];

    /// <summary>
    /// Runs it: five minutes of failovers, and then ten of registers. <c>BENCH_FAILOVERS</c> and <c>BENCH_REGISTER_SECONDS</c> set other numbers,
    /// <c>BENCH_SEED</c> other failures of the registers' members.
    /// </summary>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        if (ServerImage.WhyUnavailable() is { } reason)
        {
            throw new BenchmarkException(reason);
        }

        await using var set = await ReplicaSetFixture.StartAsync(3, cancellationToken);
        try
        {
            await CountAsync(set, report, cancellationToken);
            await UseRegistersAsync(set, report, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or MongoException)
        {
            throw new BenchmarkException(exception.Message);
        }
    }

    private static async Task CountAsync(ReplicaSetFixture set, Report report, CancellationToken cancellationToken)
    {
        var count = Setting("BENCH_FAILOVERS", Failures.Length);
        if (count == 0)
        {
            return;
        }

        using var client = new MongoClient(set.ConnectionString);
        var documents = client.GetDatabase("failover").GetCollection<BsonDocument>("counted");
        await documents.Database.CreateCollectionAsync(documents.CollectionNamespace.CollectionName, options: null, cancellationToken);
        var writer = new CountingWriter(documents, Writers);
        await using var stream = await CountingStream.OpenAsync(documents);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var writing = writer.RunAsync(stop.Token);
        var outcomes = new List<Outcome>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var outcome = await FailAsync(set, writer, Failures[i % Failures.Length], cancellationToken);
                outcomes.Add(outcome);
                Report.Say(string.Create(CultureInfo.InvariantCulture, $"{i + 1}. {outcome}"));
                if (stream?.Failure is { } failure)
                {
                    throw new BenchmarkException(
                        string.Join(Environment.NewLine, [$"The change stream has ended: {failure.Message}", .. set.Members.SelectMany(m => m.Lines)]));
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            await writing;
        }

        Tell(report, outcomes);
        await AuditAsync(report, writer, stream, cancellationToken);
    }

    private static void Tell(Report report, IReadOnlyList<Outcome> outcomes)
    {
        foreach (var kind in outcomes.GroupBy(outcome => outcome.Failure))
        {
            Report.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{Name(kind.Key)}: {kind.Count()} times, gap median {Median(kind, outcome => outcome.Gap):0.0} s, worst "
                    + $"{kind.Max(outcome => outcome.Gap).TotalSeconds:0.0} s, whole again median {Median(kind, outcome => outcome.Whole):0.0} s, worst "
                    + $"{kind.Max(outcome => outcome.Whole).TotalSeconds:0.0} s"));
        }

        foreach (var (name, hang, target) in new[] { ("gap", false, 5.0), ("gap_hang", true, 10.0) })
        {
            var gaps = outcomes.Where(outcome => outcome.Failure == Failure.SuspendMember == hang).ToList();
            if (gaps.Count > 0)
            {
                report.AtMost($"{name}_median_s", Median(gaps, outcome => outcome.Gap), target);
                report.AtMost($"{name}_worst_s", gaps.Max(outcome => outcome.Gap).TotalSeconds, target);
            }
        }

        report.AtMost("rejoin_median_s", Median(outcomes, outcome => outcome.Whole), 10);
        report.AtMost("rejoin_worst_s", outcomes.Max(outcome => outcome.Whole).TotalSeconds, 30);
    }

    private static async Task AuditAsync(Report report, CountingWriter writer, CountingStream? stream, CancellationToken cancellationToken)
    {
        var (lost, phantoms, there) = await writer.AuditAsync(cancellationToken);
        Report.Say(string.Create(
            CultureInfo.InvariantCulture, $"{writer.Acknowledged} writes were acknowledged, {writer.Unknown} had an error, {there.Count} documents are there"));
        foreach (var error in writer.Errors.Take(10))
        {
            Report.Say($"  {error}");
        }

        report.AtMost("writes_lost", lost.Count, 0);
        report.AtMost("writes_phantom", phantoms.Count, 0);
        report.AtMost("writes_stored_twice", writer.StoredTwice, 0);
        if (stream is null)
        {
            Report.Say("The server has no change streams.");
            return;
        }

        var events = await stream.AuditAsync(there, cancellationToken);
        Report.Say(string.Create(CultureInfo.InvariantCulture, $"The change stream was opened anew {stream.Reopened} times"));
        report.AtMost("events_lost", events.Lost.Count, 0);
        report.AtMost("events_doubled", events.Doubled.Count, 0);
        report.AtMost("events_phantom", events.Phantoms.Count, 0);
    }

    private static async Task<Outcome> FailAsync(ReplicaSetFixture set, CountingWriter writer, Failure failure, CancellationToken cancellationToken)
    {
        var acknowledged = writer.Acknowledged;
        await Wait.UntilAsync(() => writer.Acknowledged > acknowledged + 500, "writes are acknowledged", cancellationToken);
        var before = await set.PrimaryAsync(cancellationToken);
        var since = Stopwatch.GetTimestamp();
        await LetFailAsync(before, failure, cancellationToken);
        acknowledged = writer.Acknowledged;
        await Wait.UntilAsync(
            () => Task.FromResult(writer.Acknowledged > acknowledged + 10), () => $"writes are acknowledged again. {set.Output}", Patience, cancellationToken);
        var gap = writer.LongestGap(since);
        // A member that stands still can only come back when it goes on.
        var back = failure == Failure.SuspendMember ? Stopwatch.GetTimestamp() : since;
        before.Continue();
        if (!before.IsRunning)
        {
            before.Start();
        }

        await set.UntilWholeAsync(cancellationToken);
        var after = await set.PrimaryAsync(cancellationToken);
        return new Outcome(failure, before.Number, after.Number, gap, Stopwatch.GetElapsedTime(back));
    }

    private static async Task LetFailAsync(ReplicaSetMember member, Failure failure, CancellationToken cancellationToken)
    {
        switch (failure)
        {
            case Failure.KillMember:
                await member.KillAsync();
                break;
            case Failure.SuspendMember:
                member.Stop();
                break;
            case Failure.KillGateway:
                member.KillGateway();
                break;
            default:
                using (var client = new MongoClient(member.DirectConnectionString))
                {
                    await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                        new BsonDocument { { "replSetStepDown", 30 }, { "secondaryCatchUpPeriodSecs", 10 } }, ReadPreference.Primary, cancellationToken);
                }

                break;
        }
    }

    private static async Task UseRegistersAsync(ReplicaSetFixture set, Report report, CancellationToken cancellationToken)
    {
        var duration = TimeSpan.FromSeconds(Setting("BENCH_REGISTER_SECONDS", 600));
        if (duration == TimeSpan.Zero)
        {
            return;
        }

        using var client = new MongoClient(set.ConnectionString);
        var load = new RegisterLoad(client.GetDatabase("failover"), Registers, ClientsOfRegister);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var working = load.RunAsync(stop.Token);
        var random = new Random(Setting("BENCH_SEED", 1));
        var failures = new Dictionary<string, int>();
        try
        {
            var started = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                var failure = await DisturbAsync(set, random, cancellationToken);
                failures[failure] = failures.GetValueOrDefault(failure) + 1;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await working;
        }

        Report.Say($"{load.Summary}; {string.Join(", ", failures.OrderBy(failure => failure.Key).Select(failure => $"{failure.Value} x {failure.Key}"))}");
        var anomalies = Linearizability.Check(load.History);
        foreach (var anomaly in anomalies.Take(20))
        {
            Report.Say($"  {anomaly}");
        }

        report.AtLeast("register_operations", load.History.Count, duration.TotalSeconds * 20);
        report.AtMost("register_anomalies", anomalies.Count, 0);
    }

    // Something befalls a member, the primary in half of the cases, and is over before the next begins.
    private static async Task<string> DisturbAsync(ReplicaSetFixture set, Random random, CancellationToken cancellationToken)
    {
        await set.UntilWholeAsync(cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(random.Next(1, 4)), cancellationToken);
        var primary = await set.PrimaryAsync(cancellationToken);
        var isPrimary = random.Next(2) == 0;
        var member = isPrimary ? primary : set.Members.Where(member => member != primary).ElementAt(random.Next(2));
        var failure = (Failure)random.Next(isPrimary ? 4 : 3);
        try
        {
            await LetFailAsync(member, failure, cancellationToken);
        }
        catch (MongoException) when (failure == Failure.StepDown)
        {
            // It had ceased to be the primary by itself.
        }

        await Task.Delay(random.NextDouble() * LongestSuspension / (failure == Failure.SuspendMember ? 1 : 5), cancellationToken);
        member.Continue();
        if (!member.IsRunning)
        {
            member.Start();
        }

        return $"{Name(failure)} ({(isPrimary ? "primary" : "secondary")})";
    }

    private static string Name(Failure failure) => failure switch
    {
        Failure.KillMember => "kill -9 of the member",
        Failure.SuspendMember => "SIGSTOP of the member",
        Failure.KillGateway => "kill -9 of the gateway",
        _ => "step down",
    };

    private static double Median(IEnumerable<Outcome> outcomes, Func<Outcome, TimeSpan> figure)
    {
        var sorted = outcomes.Select(outcome => figure(outcome).TotalSeconds).Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    private enum Failure
    {
        KillMember,
        SuspendMember,
        KillGateway,
        StepDown,
    }

    /// <summary>What came of a failure.</summary>
    /// <param name="Failure">The failure.</param>
    /// <param name="Before">Who was the primary.</param>
    /// <param name="After">Who was it in the end.</param>
    /// <param name="Gap">How long nobody's write was acknowledged.</param>
    /// <param name="Whole">How long it took until all members were back, from the failure, or from the end of the standstill.</param>
    private sealed record Outcome(Failure Failure, int Before, int After, TimeSpan Gap, TimeSpan Whole)
    {
        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{Name(Failure)}: primary {Before} -> {After}, {Gap.TotalSeconds:0.0} s without a write, whole again after {Whole.TotalSeconds:0.0} s");
    }
}
