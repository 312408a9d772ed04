using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>What of the repository is to be in the copy, in the order in which it is sent.</summary>
internal static class RepositoryFiles
{
    /// <summary>
    /// The lists of backups and of parts of the archive, the ones that are read first last: what one refers to is there before it is.
    /// </summary>
    public static IReadOnlyList<string> Infos { get; } =
    [
        "archive/platform/archive.info.copy", "archive/platform/archive.info", "backup/platform/backup.info.copy", "backup/platform/backup.info",
    ];

    /// <summary>The objects that there are now but the lists: the log first, and of each backup the manifest last.</summary>
    /// <param name="list">Which knows where they are.</param>
    /// <param name="directory">The directory of the backups.</param>
    public static IReadOnlyList<RepositoryFile> Read(ObjectList list, string directory)
    {
        var present = list.Present().ToList();
        var whole = present.Where(IsManifest).Select(RepositoryPath.LabelOf).ToHashSet(StringComparer.Ordinal);
        var files = new List<RepositoryFile>();
        // A backup that is being made, or was ended half-way, has no manifest yet.
        foreach (var path in present.Where(path => !RepositoryPath.IsInfo(path) && (RepositoryPath.LabelOf(path) is not { } label || whole.Contains(label))))
        {
            if (RepositoryFile.Find(directory, path) is { } file)
            {
                files.Add(file);
            }
        }

        return [.. files.OrderBy(file => RepositoryPath.IsLog(file.Path) ? 0 : file.Path.Contains("/backup.manifest", StringComparison.Ordinal) ? 2 : 1)];
    }

    private static bool IsManifest(string path) =>
        path.EndsWith("/backup.manifest", StringComparison.Ordinal) && RepositoryPath.LabelOf(path) is { } label && path.EndsWith(
            $"/{label}/backup.manifest", StringComparison.Ordinal);
}

/// <summary>A file of the repository.</summary>
/// <param name="Path">Its path in the repository.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="ChangedAt">When it was changed last.</param>
internal sealed record RepositoryFile(string Path, long Length, DateTimeOffset ChangedAt)
{
    /// <summary>The same in ticks.</summary>
    public long Changed => ChangedAt.UtcTicks;

    /// <summary>Looks at a file; null when there is none.</summary>
    public static RepositoryFile? Find(string directory, string path)
    {
        var file = new FileInfo(System.IO.Path.Combine(directory, "repository", path));
        try
        {
            return new RepositoryFile(path, file.Length, new DateTimeOffset(file.LastWriteTimeUtc));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
