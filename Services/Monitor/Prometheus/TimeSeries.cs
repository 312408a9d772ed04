using System.Globalization;
using System.Text.Json;

namespace Platform.Monitor.Prometheus;

/// <summary>Values of one label set.</summary>
/// <param name="Labels">The labels.</param>
/// <param name="Values">The values by their times, in seconds since 1970; what is no number is left out.</param>
internal sealed record TimeSeries(IReadOnlyDictionary<string, string> Labels, IReadOnlyList<KeyValuePair<long, double>> Values)
{
    /// <summary>Reads one of an answer's results.</summary>
    /// <param name="result">The result.</param>
    /// <param name="values"><c>value</c> for one, <c>values</c> for several.</param>
    public static TimeSeries Read(JsonElement result, string values)
    {
        var labels = result.GetProperty("metric").EnumerateObject()
            .ToDictionary(label => label.Name, label => label.Value.GetString()!, StringComparer.Ordinal);
        var found = result.GetProperty(values);
        var points = values == "value" ? [Point(found)] : found.EnumerateArray().Select(Point);
        return new(labels, [.. points.Where(point => double.IsFinite(point.Value))]);
    }

    // [1764489600.5, "12.5"], where a value may also be "NaN" or "+Inf".
    private static KeyValuePair<long, double> Point(JsonElement pair)
    {
        var text = pair[1].GetString()!;
        var value = text switch
        {
            "NaN" => double.NaN, "+Inf" => double.PositiveInfinity, "-Inf" => double.NegativeInfinity,
            _ => double.Parse(text, CultureInfo.InvariantCulture),
        };
        return new((long)Math.Round(pair[0].GetDouble()), value);
    }
}
