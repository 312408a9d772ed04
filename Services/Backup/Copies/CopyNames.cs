namespace Platform.Backup.Copies;

/// <summary>What is in a copy beside the repository, in a folder that pgBackRest knows nothing of.</summary>
internal static class CopyNames
{
    private const string Folder = "platform/";

    /// <summary>The signed list of hashes.</summary>
    public const string List = Folder + "objects";

    /// <summary>Of which repository it is the copy.</summary>
    public const string Identity = Folder + "repository";

    /// <summary>Whether it is one of these.</summary>
    public static bool IsOurs(string path) => path.StartsWith(Folder, StringComparison.Ordinal);
}
