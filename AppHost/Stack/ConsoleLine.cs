using System.Globalization;

namespace Platform.AppHost.Stack;

internal static class ConsoleLine
{
    /// <summary>
    /// A line of a resource's console as the program wrote it: without the time that the orchestrator puts before it.
    /// </summary>
    /// <param name="content">For example <c>2026-11-24T18:35:51.8450000Z 12 stores</c>.</param>
    public static string Text(string content)
    {
        var end = content.IndexOf(' ', StringComparison.Ordinal);
        var stamp = end < 0 ? content : content[..end];
        return stamp.EndsWith('Z') && DateTime.TryParseExact(
            stamp, ["yyyy-MM-ddTHH:mm:ss.fffffffZ", "yyyy-MM-ddTHH:mm:ss.fffZ", "yyyy-MM-ddTHH:mm:ssZ"],
            CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out _)
            ? content[Math.Min(end < 0 ? content.Length : end + 1, content.Length)..]
            : content;
    }

    /// <summary>What a resource printed last, as the program wrote it.</summary>
    /// <param name="logs">The consoles of the resources.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="count">How many lines at most.</param>
    public static async Task<IReadOnlyCollection<string>> LastLinesAsync(
        this ResourceLoggerService logs, IResource resource, int count)
    {
        var lines = new Queue<string>(count);
        await foreach (var batch in logs.GetAllAsync(resource))
        {
            foreach (var line in batch)
            {
                if (lines.Count == count)
                {
                    lines.Dequeue();
                }

                lines.Enqueue(Text(line.Content));
            }
        }

        return lines;
    }
}
