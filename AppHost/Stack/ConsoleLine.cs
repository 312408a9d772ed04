using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Platform.AppHost.Stack;

internal static partial class ConsoleLine
{
    private const int LongestLine = 300;

    // What Aspire writes into the console of a resource that waits.
    private static readonly string[] s_announcements =
        ["Waiting for resource ", "Finished waiting for resource ", "No custom certificate authorities to configure for "];

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(250);

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

    /// <summary>
    /// What a resource printed last, as the program wrote it, without colours. What the orchestrator says of it counts only where the program said
    /// nothing: that it is started or waited for explains no failure.
    /// </summary>
    /// <param name="logs">The consoles of the resources.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="count">How many lines at most.</param>
    public static async Task<IReadOnlyCollection<string>> LastLinesAsync(
        this ResourceLoggerService logs, IResource resource, int count)
    {
        var lines = new Queue<string>(count);
        var orchestrator = new Queue<string>(count);
        await foreach (var batch in logs.GetAllAsync(resource))
        {
            // The orchestrator's own are exceptions with their traces, in one piece.
            foreach (var text in batch.SelectMany(line => Colours().Replace(Text(line.Content), "").Split('\n')))
            {
                var queue = IsOrchestrator(text) ? orchestrator : lines;
                if (queue.Count == count)
                {
                    queue.Dequeue();
                }

                queue.Enqueue(text.TrimEnd('\r'));
            }
        }

        return lines.Any(line => line.Length > 0) ? lines : orchestrator;
    }

    private static bool IsOrchestrator(string line)
        => line.StartsWith("[sys] ", StringComparison.Ordinal) || s_announcements.Any(start => line.StartsWith(start, StringComparison.Ordinal));

    /// <summary>
    /// What a resource that has ended printed last. The lines arrive a moment after its end: they are waited for until no
    /// more come, for two seconds at most.
    /// </summary>
    /// <param name="logs">The consoles of the resources.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="count">How many lines at most.</param>
    /// <param name="cancellationToken">Ends the wait with an error.</param>
    public static async Task<IReadOnlyCollection<string>> SettledLinesAsync(
        this ResourceLoggerService logs, IResource resource, int count, CancellationToken cancellationToken)
    {
        IReadOnlyCollection<string> lines = [];
        for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < s_patience;)
        {
            await Task.Delay(s_pause, cancellationToken);
            var now = await logs.LastLinesAsync(resource, count);
            if (now.Count > 0 && now.SequenceEqual(lines))
            {
                break;
            }

            lines = now;
        }

        return lines;
    }

    /// <summary>
    /// A sentence about a program, with what it said for people: the last line that begins with a name and a colon (<c>migrator: ...</c>), or else
    /// the last that is none of a stack trace.
    /// </summary>
    /// <param name="sentence">The sentence; its first word is the name.</param>
    /// <param name="lines">The last lines of its console.</param>
    public static string WhatItSaid(string sentence, IReadOnlyCollection<string> lines)
    {
        var name = $"{sentence.Split(' ')[0]}: ";
        var last = (lines.LastOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))
            ?? lines.LastOrDefault(line => !string.IsNullOrWhiteSpace(line) && !line.TrimStart().StartsWith("at ", StringComparison.Ordinal)))?.Trim();
        return last is null ? sentence
            : $"{sentence} It said: {(last.Length > LongestLine ? $"{last[..LongestLine]}..." : last)}";
    }

    [GeneratedRegex("\\x1b\\[[0-9;]*m")]
    private static partial Regex Colours();
}
