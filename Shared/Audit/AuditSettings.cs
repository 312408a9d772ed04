using System.ComponentModel.DataAnnotations;

namespace Platform.Audit;

/// <summary>Where an audit log is, and how much of it is kept.</summary>
public sealed class AuditSettings
{
    /// <summary>
    /// The directory with a directory for each who writes, as a full path. Default: none, and nothing is recorded. It is made, with mode 700.
    /// </summary>
    public string? Directory { get; set; }

    /// <summary>
    /// The directory of the keys that lines are signed with, and of how far each log is, as a full path outside of <see cref="Directory"/>: whoever can write
    /// there can make a log that looks right. It is made, with mode 700.
    /// </summary>
    public string? KeyDirectory { get; set; }

    /// <summary>From which size on a file is followed by the next one; each UTC day begins one, too. Default 16.</summary>
    [Range(1, 1_024)]
    public int MaxFileMegabytes { get; set; } = 16;

    /// <summary>How many files of each who writes are kept. Default 64.</summary>
    [Range(2, 100_000)]
    public int KeepFiles { get; set; } = 64;

    /// <summary>For how many days a file is kept after its last line. Default 90.</summary>
    [Range(1, 36_500)]
    public int KeepDays { get; set; } = 90;

    /// <summary>
    /// Of which databases, as <c>shop</c>, and collections, as <c>shop.orders</c>, a server also records each command that its user was allowed to send,
    /// separated by commas; <c>*</c> for all of them. Each then costs a write to the log. Default: none.
    /// </summary>
    public string? Namespaces { get; set; }

    /// <summary>Whether anything is recorded.</summary>
    public bool IsOn => Directory is { Length: > 0 };

    /// <summary>What is wrong with the directories: one sentence for each key.</summary>
    /// <param name="section">The section of the configuration that the settings are bound to.</param>
    public IEnumerable<string> Mistakes(string section)
    {
        if (!IsOn)
        {
            yield break;
        }

        if (!Path.IsPathFullyQualified(Directory!))
        {
            yield return $"{section}:{nameof(Directory)} '{Directory}' is not a full path.";
        }

        if (!Path.IsPathFullyQualified(KeyDirectory ?? ""))
        {
            yield return $"{section}:{nameof(KeyDirectory)} '{KeyDirectory}' is not a full path.";
        }
        else if (Within(KeyDirectory!, Directory!))
        {
            yield return $"{section}:{nameof(KeyDirectory)} '{KeyDirectory}' is inside of {section}:{nameof(Directory)}: "
                + "whoever can write the log could sign it.";
        }
    }

    private static bool Within(string path, string directory) =>
        (Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) + Path.DirectorySeparatorChar)
            .StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
