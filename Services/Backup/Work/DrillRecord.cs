using System.Globalization;
using System.Text.Json;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Jobs;

namespace Platform.Backup.Work;

/// <summary>What a drill found: a restore that was tried, and compared with what the database had.</summary>
/// <param name="At">When it was begun.</param>
/// <param name="Moment">The moment that was restored; null when it did not come so far.</param>
/// <param name="RestoreSeconds">How long it took from the command to the first answer of the copy; null when it gave none.</param>
/// <param name="Seconds">How long all of it took.</param>
/// <param name="Documents">How many documents the copy had.</param>
/// <param name="Compared">How many of them were compared: all but those next to which something was written while the moment was marked.</param>
/// <param name="Checks">What was looked at: one sentence for each.</param>
/// <param name="Findings">What is wrong; empty when the drill went well.</param>
internal sealed record DrillRecord(
    DateTimeOffset At,
    DateTimeOffset? Moment,
    double? RestoreSeconds,
    double Seconds,
    long Documents,
    long Compared,
    IReadOnlyList<string> Checks,
    IReadOnlyList<Finding> Findings)
{
    private const string Format = "yyyyMMdd-HHmmss";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);
    private static readonly TimeSpan s_kept = TimeSpan.FromDays(366);

    /// <summary>Whether it went well.</summary>
    public bool IsGood => Findings.Count == 0;

    /// <summary>Where the evidence of a directory of backups is.</summary>
    public static string DirectoryOf(string directory) => Path.Combine(directory, "drills");

    /// <summary>The last one; null for never, or when what was written of it cannot be read.</summary>
    public static DrillRecord? Last(string directory)
    {
        try
        {
            return Directory.EnumerateFiles(DirectoryOf(directory), "*.json").OrderDescending(StringComparer.Ordinal).Select(file =>
                JsonSerializer.Deserialize<DrillRecord>(File.ReadAllText(file), s_json)).FirstOrDefault();
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException or JsonException)
        {
            // Then one is due.
            return null;
        }
    }

    /// <summary>Keeps it as evidence, as JSON and as a page that only the user may read, and removes what is older than a year.</summary>
    /// <param name="directory">The directory of the backups.</param>
    /// <param name="page">It as a page.</param>
    /// <returns>Where the page is.</returns>
    public string Write(string directory, string page)
    {
        OwnerOnly.MakeDirectory(DirectoryOf(directory));
        var name = Path.Combine(DirectoryOf(directory), At.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture));
        OwnerOnly.Write(name + ".html", page);
        OwnerOnly.Write(name + ".json", JobReport.Json(this));
        foreach (var file in Directory.EnumerateFiles(DirectoryOf(directory)))
        {
            if (DateTimeOffset.TryParseExact(
                    Path.GetFileNameWithoutExtension(file), Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                && at < At - s_kept)
            {
                File.Delete(file);
            }
        }

        return name + ".html";
    }

    /// <summary>When it was begun and what came of it, in a sentence.</summary>
    public string Sentence() => IsGood
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{Moments.Text(At)}, good: {Compared} of {Documents} documents compared, the copy answered after {RestoreSeconds:0.0} s")
        : $"{Moments.Text(At)}, failed: {Findings[0].Subject} {Findings[0].Fault}{(Findings.Count > 1 ? $", and {Findings.Count - 1} more" : "")}";
}
