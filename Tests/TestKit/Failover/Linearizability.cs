using System.Diagnostics;
using System.Globalization;

namespace Platform.Tests.TestKit.Failover;

/// <summary>
/// Whether what clients saw of a register could have come of operations that each took effect at one moment between its start and its
/// finish. Each value is written once, so a read tells which write it saw, and the question has a fast and exact answer.
/// </summary>
/// <remarks>
/// A value is there at least from the first finish to the last start of the operations that wrote or read it, its zone, when that first
/// finish comes before that last start; else all of its operations can take effect at one moment, any between that start and that
/// finish. There is an order if, and only if, no two zones overlap and no other value's moments all lie within a zone (P. Gibbons and
/// E. Korach, Testing Shared Memories, 1997). The order of two times that are equal is open.
/// </remarks>
internal static class Linearizability
{
    /// <summary>Looks for what no order of the operations explains.</summary>
    /// <param name="history">The operations on any number of registers.</param>
    /// <returns>Each anomaly in a sentence.</returns>
    /// <exception cref="ArgumentException">A value was written twice, so that reads do not tell which write they saw.</exception>
    public static IReadOnlyList<string> Check(IEnumerable<RegisterOperation> history) =>
        [.. history.GroupBy(operation => operation.Key).SelectMany(register => CheckRegister(register.Key, [.. register]))];

    private static IEnumerable<string> CheckRegister(string key, IReadOnlyList<RegisterOperation> operations)
    {
        var origin = operations.Min(operation => operation.Start);
        var writes = new Dictionary<long, RegisterOperation>
        {
            [RegisterOperation.Initial] = new(key, IsWrite: true, RegisterOperation.Initial, long.MinValue, long.MinValue),
        };
        foreach (var write in operations.Where(operation => operation.IsWrite))
        {
            if (!writes.TryAdd(write.Value, write))
            {
                throw new ArgumentException($"{write.Value} was written to {key} twice.", nameof(operations));
            }
        }

        var reads = operations.Where(operation => !operation.IsWrite).ToLookup(read => read.Value);
        var values = new List<Life>();
        foreach (var value in writes.Keys.Union(reads.Select(seen => seen.Key)))
        {
            if (!writes.TryGetValue(value, out var write))
            {
                yield return value == RegisterOperation.Missing
                    ? $"{key} was gone at {Time(reads[value].First().Finish)}."
                    : $"{key} was {value} at {Time(reads[value].First().Finish)}, which nobody wrote.";
            }
            else if (reads[value].Where(read => read.Finish < write.Start).Select(read => (long?)read.Finish).Min() is { } early)
            {
                yield return $"{key} was {value} at {Time(early)}, which was written from {Time(write.Start)} on.";
            }
            else if (write.Finish != RegisterOperation.Never || reads[value].Any())
            {
                // A write without an answer that nobody saw need not have happened.
                values.Add(new Life(
                    value,
                    reads[value].Select(read => read.Finish).Append(write.Finish).Min(),
                    reads[value].Select(read => read.Start).Append(write.Start).Max()));
            }
        }

        foreach (var anomaly in Conflicts(key, values, Time))
        {
            yield return anomaly;
        }

        string Time(long time) =>
            time == long.MinValue
                ? "the beginning"
                : string.Create(CultureInfo.InvariantCulture, $"{(time - origin) / (double)Stopwatch.Frequency:0.000000} s");
    }

    private static IEnumerable<string> Conflicts(string key, List<Life> values, Func<long, string> time)
    {
        var zones = values.Where(value => value.IsZone).OrderBy(value => value.FirstFinish).ToList();
        for (var i = 1; i < zones.Count; i++)
        {
            // The one before that lasts longest is the one to overlap with.
            var before = zones.Take(i).MaxBy(zone => zone.LastStart);
            if (zones[i].FirstFinish < before.LastStart)
            {
                yield return $"{key} was {before.Value} at {time(before.FirstFinish)} and at {time(before.LastStart)}, and {zones[i].Value} at "
                    + $"{time(zones[i].FirstFinish)} and at {time(zones[i].LastStart)}.";
                yield break; // those that follow from it say nothing new
            }
        }

        var starts = zones.ConvertAll(zone => zone.FirstFinish);
        foreach (var value in values.Where(value => !value.IsZone))
        {
            var found = starts.BinarySearch(value.LastStart);
            var last = (found >= 0 ? found : ~found) - 1; // the last zone that begins before
            if (last >= 0 && value.FirstFinish < zones[last].LastStart)
            {
                yield return $"{key} was {zones[last].Value} at {time(zones[last].FirstFinish)} and at {time(zones[last].LastStart)}, "
                    + $"and {value.Value} between {time(value.LastStart)} and {time(value.FirstFinish)}.";
            }
        }
    }

    /// <summary>When a value was there.</summary>
    private readonly record struct Life(long Value, long FirstFinish, long LastStart)
    {
        public bool IsZone => FirstFinish < LastStart;
    }
}
