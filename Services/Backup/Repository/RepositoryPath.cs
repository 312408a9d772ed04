using System.Globalization;

namespace Platform.Backup.Repository;

/// <summary>What an object of the repository belongs to, by its path.</summary>
internal static class RepositoryPath
{
    private const string Backups = "backup/platform/";
    private const string History = Backups + "backup.history/";
    private const string Log = "archive/platform/";
    private const int SegmentDigits = 24;

    /// <summary>Whether pgBackRest writes it anew with every change: the lists of backups and of parts of the archive, and their copies.</summary>
    public static bool IsInfo(string path) =>
        path is Backups + "backup.info" or Backups + "backup.info.copy" or Log + "archive.info" or Log + "archive.info.copy";

    /// <summary>Whether it is of the archived log.</summary>
    public static bool IsLog(string path) => path.StartsWith(Log, StringComparison.Ordinal) && !IsInfo(path);

    /// <summary>Whether it is a segment of the archived log, whose name has a checksum: pgBackRest writes it once.</summary>
    public static bool IsSegment(string path) =>
        IsLog(path) && Path.GetFileName(path) is { Length: > SegmentDigits } name && name[SegmentDigits] == '-';

    /// <summary>The label of the backup that it is a file of; null when it is none of a backup's.</summary>
    public static string? LabelOf(string path) =>
        path.StartsWith(Backups, StringComparison.Ordinal) && !path.StartsWith(History, StringComparison.Ordinal)
            && path.IndexOf('/', Backups.Length) is > 0 and var end
            ? path[Backups.Length..end]
            : null;

    /// <summary>Whether it is a manifest that is kept of backups, removed ones too.</summary>
    public static bool IsHistory(string path) => path.StartsWith(History, StringComparison.Ordinal);

    /// <summary>The label of the backup whose manifest it is.</summary>
    /// <param name="path">Such as <c>backup/platform/backup.history/2026/20260101-020000F.manifest.zst</c>.</param>
    public static string LabelInHistory(string path) => Path.GetFileName(path).Split('.')[0];

    /// <summary>Whether it is of the repository, and neither beside it nor a way out of it.</summary>
    public static bool IsOfRepository(string path) =>
        (path.StartsWith(Backups, StringComparison.Ordinal) || path.StartsWith(Log, StringComparison.Ordinal))
        && !path.Split('/').Any(name => name is "" or "." or "..");

    /// <summary>Where an object of the archived log stands in it, as a text whose characters compare: the number of the database, and the name.</summary>
    /// <param name="path">Such as <c>archive/platform/18-1/0000000100000000/0000000100000000000000AB-SHA1.zst</c>.</param>
    public static string PlaceInLog(string path)
    {
        var part = path[Log.Length..].Split('/')[0];
        var number = int.TryParse(part.AsSpan(part.IndexOf('-', StringComparison.Ordinal) + 1), CultureInfo.InvariantCulture, out var found) ? found : 0;
        return string.Create(CultureInfo.InvariantCulture, $"{number:D10}/{Path.GetFileName(path)}");
    }
}
