namespace Platform.Backup.Repository;

/// <summary>What an object of the repository belongs to, by its path.</summary>
internal static class RepositoryPath
{
    private const string Backups = "backup/platform/";
    private const string History = Backups + "backup.history/";
    private const string Log = "archive/platform/";

    /// <summary>Whether pgBackRest writes it anew with every change: the lists of backups and of parts of the archive, and their copies.</summary>
    public static bool IsInfo(string path) =>
        path is Backups + "backup.info" or Backups + "backup.info.copy" or Log + "archive.info" or Log + "archive.info.copy";

    /// <summary>Whether it is of the archived log.</summary>
    public static bool IsLog(string path) => path.StartsWith(Log, StringComparison.Ordinal) && !IsInfo(path);

    /// <summary>The label of the backup that it is a file of; null when it is none of a backup's.</summary>
    public static string? LabelOf(string path) =>
        path.StartsWith(Backups, StringComparison.Ordinal) && !path.StartsWith(History, StringComparison.Ordinal)
            && path.IndexOf('/', Backups.Length) is > 0 and var end
            ? path[Backups.Length..end]
            : null;

    /// <summary>Whether it is a manifest that is kept of backups, removed ones too.</summary>
    public static bool IsHistory(string path) => path.StartsWith(History, StringComparison.Ordinal);
}
