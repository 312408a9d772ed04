namespace Platform.Benchmarks;

/// <summary>
/// A ratio that was measured again and again in neighbouring turns: the mean of the middle half of the rounds, which a few disturbed
/// ones do not move, and how far it may be off.
/// </summary>
/// <param name="Value">The ratio.</param>
/// <param name="Error">Its standard error, by bootstrap.</param>
/// <param name="Low">Where its 95 % interval begins, by bootstrap.</param>
/// <param name="High">Where the interval ends.</param>
internal sealed record PairedRatio(double Value, double Error, double Low, double High)
{
    private const int Resamples = 4000;

    /// <summary>The ratio of two figures, which were measured in the same rounds.</summary>
    public static PairedRatio Of(IReadOnlyList<double> one, IReadOnlyList<double> other)
    {
        // Logarithms: twice as much and half as much are equally far from no difference.
        double[] logs = [.. one.Zip(other, (a, b) => Math.Log(a / b))];
        // The same numbers in each run: the interval is to depend on what was measured alone.
        var random = new Random(1);
        var resampled = new double[Resamples];
        var sample = new double[logs.Length];
        for (var i = 0; i < Resamples; i++)
        {
            for (var j = 0; j < sample.Length; j++)
            {
                sample[j] = logs[random.Next(logs.Length)];
            }

            resampled[i] = MiddleMean(sample);
        }

        Array.Sort(resampled);
        var mean = resampled.Average();
        var value = Math.Exp(MiddleMean(logs));
        var deviation = Math.Sqrt(resampled.Sum(x => (x - mean) * (x - mean)) / (Resamples - 1));
        return new PairedRatio(
            value, value * deviation, Math.Exp(resampled[(int)(Resamples * 0.025)]), Math.Exp(resampled[(int)(Resamples * 0.975)]));
    }

    private static double MiddleMean(double[] values)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        var cut = sorted.Length / 4;
        return sorted.AsSpan(cut, sorted.Length - (2 * cut)).ToArray().Average();
    }
}
