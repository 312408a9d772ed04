using System.Globalization;

namespace Platform.AppHost;

internal static class ConsoleLine
{
    /// <summary>A line of a resource's console as the program wrote it: without the time that the orchestrator puts before it.</summary>
    /// <param name="content">For example <c>2026-11-24T18:35:51.8450000Z 12 stores</c>.</param>
    public static string Text(string content)
    {
        var end = content.IndexOf(' ', StringComparison.Ordinal);
        var stamp = end < 0 ? content : content[..end];
        return stamp.EndsWith('Z') && DateTime.TryParseExact(
            stamp, ["yyyy-MM-ddTHH:mm:ss.fffffffZ", "yyyy-MM-ddTHH:mm:ss.fffZ", "yyyy-MM-ddTHH:mm:ssZ"], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out _)
            ? content[Math.Min(end < 0 ? content.Length : end + 1, content.Length)..]
            : content;
    }
}
