namespace Platform.Benchmarks;

/// <summary>What a load achieved.</summary>
/// <param name="PerSecond">Finished operations per second.</param>
/// <param name="Processor">Processor time of this process per operation, in microseconds.</param>
/// <param name="P99">The latency in milliseconds that 99 of 100 operations stayed below (nearest rank).</param>
internal sealed record LoadResult(double PerSecond, double Processor, double P99)
{
    /// <summary>The median of several values.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
