using System.Globalization;

namespace Platform.Audit;

/// <summary>
/// The files of a log: <c>WRITER/audit-NUMBER.jsonl</c>, where the number is that of the file's first line, so that their names are in their order.
/// </summary>
internal static class AuditFiles
{
    private const string Prefix = "audit-";
    private const string Extension = ".jsonl";

    /// <summary>Who has written logs below a directory.</summary>
    public static IEnumerable<string> Writers(string directory) => Directory.Exists(directory)
        ? Directory.GetDirectories(directory).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)
        : [];

    /// <summary>The paths of a log's files, in their order.</summary>
    public static IReadOnlyList<string> Of(string log) => Directory.Exists(log)
        ? [.. Directory.GetFiles(log, $"{Prefix}*{Extension}").Where(file => FirstLineOf(file) is not null).OrderBy(FirstLineOf)]
        : [];

    /// <summary>The number of a file's first line, as its name says it; null when it is none of a log's files.</summary>
    public static long? FirstLineOf(string file)
    {
        var name = Path.GetFileName(file.AsSpan());
        return name.Length > Prefix.Length + Extension.Length && name.StartsWith(Prefix) && name.EndsWith(Extension)
            && long.TryParse(name[Prefix.Length..^Extension.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            ? first
            : null;
    }

    /// <summary>The path of the file that begins with this line.</summary>
    public static string PathOf(string log, long firstLine) =>
        Path.Combine(log, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{firstLine:D12}{Extension}"));

    /// <summary>Opens a file to write it, which then nobody but the user may read.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="mode">How.</param>
    /// <param name="share">What others may do meanwhile.</param>
    public static FileStream Open(string path, FileMode mode, FileShare share) => OwnerOnly.Open(path, mode, share, bufferSize: 0);
}
