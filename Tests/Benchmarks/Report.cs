using System.Globalization;

namespace Platform.Benchmarks;

/// <summary>Prints figures, one a line.</summary>
internal sealed class Report(string benchmark)
{
    /// <summary>A figure that should be at least its target.</summary>
    public void AtLeast(string figure, double value, double target) => Print(figure, value, $">={Text(target)}", value >= target);

    /// <summary>A figure that should be at most its target.</summary>
    public void AtMost(string figure, double value, double target) => Print(figure, value, $"<={Text(target)}", value <= target);

    /// <summary>A remark.</summary>
    public static void Say(string text) => Console.WriteLine(text);

    private static string Text(double value) => value.ToString(Math.Abs(value) >= 100 ? "0" : "0.###", CultureInfo.InvariantCulture);

    private void Print(string figure, double value, string target, bool met) =>
        Console.WriteLine($"bench {benchmark} {figure}={Text(value)} target={target} {(met ? "ok" : "short")}");
}
