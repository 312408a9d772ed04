using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The timestamp before each line of a console log: <c>2026-01-31T10:11:12.1234567Z text</c> (RFC 3339).</summary>
internal static class LogTimestamp
{
    private const string Format = "yyyy-MM-ddTHH:mm:ss.fffffffZ";

    /// <summary>Puts a timestamp before a line.</summary>
    public static string Stamp(DateTimeOffset time, string text)
        => string.Concat(time.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture), " ", text);

    /// <summary>Takes the timestamp off a line; fractional digits may be missing, as nanoseconds may be present.</summary>
    /// <returns>False, with the whole line as text, when it has none.</returns>
    public static bool TrySplit(string line, out DateTimeOffset time, out string text)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var head = space < 0 ? line.AsSpan() : line.AsSpan(0, space);
        if (head.Length >= 20 && head[4] == '-' && head[10] == 'T' && TryParse(head, out time))
        {
            text = space < 0 ? "" : line[(space + 1)..];
            return true;
        }

        time = default;
        text = line;
        return false;
    }

    private static bool TryParse(ReadOnlySpan<char> head, out DateTimeOffset time)
    {
        // .NET reads at most seven fractional digits, Go writes nine.
        var dot = head.IndexOf('.');
        if (dot > 0 && head[^1] == 'Z' && head.Length - dot > 9)
        {
            head = string.Concat(head[..(dot + 8)], "Z");
        }

        return DateTimeOffset.TryParse(
            head,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out time);
    }
}
