using System.Text.RegularExpressions;
using Platform.Backup.Engines;

namespace Platform.Backup.PgBackRest;

/// <summary>
/// What <c>pgbackrest verify --output=text --verbose</c> says: its exit code is 0 whatever it finds, and of a corrupt bundle it tells in this text alone.
/// </summary>
internal static partial class VerifyText
{
    /// <summary>What it found.</summary>
    /// <param name="text">
    /// <code>
    /// stanza: platform
    /// status: error
    ///   archiveId: 18-1, total WAL checked: 4, total valid WAL: 3
    ///     missing: 0, checksum invalid: 1, size invalid: 0, other: 0
    ///   backup: 20261129-020000F, status: invalid, total files checked: 9, total valid files: 8
    ///     missing: 0, checksum invalid: 1, size invalid: 0, other: 0
    /// </code>
    /// </param>
    /// <returns>A finding for each part that is not good; one as well when the text does not say that all is.</returns>
    public static IReadOnlyList<Finding> Read(string text)
    {
        var findings = new List<Finding>();
        var (subject, isOk) = ("", false);
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            if (Status().Match(line) is { Success: true } status)
            {
                isOk = status.Groups["status"].Value == "ok";
            }
            else if (Archive().Match(line) is { Success: true } archive)
            {
                subject = $"archive {archive.Groups["id"].Value}";
            }
            else if (Backup().Match(line) is { Success: true } backup)
            {
                subject = backup.Groups["label"].Value;
                if (backup.Groups["status"].Value != "valid")
                {
                    findings.Add(new Finding(subject, $"pgBackRest says: {backup.Groups["status"].Value}"));
                }
            }
            else if (Count().Matches(line).Where(count => count.Groups["count"].Value != "0").ToList() is { Count: > 0 } counts)
            {
                findings.Add(new Finding(subject, $"pgBackRest says: {string.Join(", ", counts.Select(count => count.Value))}"));
            }
            else if (line.Contains("ERROR:", StringComparison.Ordinal) || line.StartsWith("No usable ", StringComparison.Ordinal))
            {
                findings.Add(new Finding("repository", $"pgBackRest says: {line}"));
            }
        }

        if (!isOk && findings.Count == 0)
        {
            findings.Add(new Finding("repository", "pgBackRest does not say that it is good"));
        }

        return findings;
    }

    [GeneratedRegex("^status: (?<status>\\w+)")]
    private static partial Regex Status();

    [GeneratedRegex("^archiveId: (?<id>[^,]+),")]
    private static partial Regex Archive();

    [GeneratedRegex("^backup: (?<label>[^,]+), status: (?<status>[^,]+)")]
    private static partial Regex Backup();

    [GeneratedRegex("\\b(missing|checksum invalid|size invalid|other): (?<count>[0-9]+)")]
    private static partial Regex Count();
}
