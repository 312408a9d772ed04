using System.Diagnostics;

namespace Platform.Benchmarks;

/// <summary>Callers that do one thing again and again.</summary>
internal static class Load
{
    /// <summary>Runs so many callers for so long.</summary>
    public static async Task<LoadResult> RunAsync(int callers, TimeSpan duration, Func<int, Task> operation)
    {
        var latencies = new List<double>[callers];
        var processor = Environment.CpuUsage.TotalTime;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var own = latencies[caller] = new List<double>(4096);
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                var before = Stopwatch.GetTimestamp();
                await operation(caller + own.Count);
                own.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
            }
        })));
        var elapsed = Stopwatch.GetElapsedTime(started);
        processor = Environment.CpuUsage.TotalTime - processor;
        double[] all = [.. latencies.SelectMany(own => own).Order()];
        return new LoadResult(all.Length / elapsed.TotalSeconds, processor.TotalMicroseconds / all.Length, all[(int)Math.Ceiling(all.Length * 0.99) - 1]);
    }
}
