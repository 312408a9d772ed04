using Platform.Backup.Engines;

namespace Platform.Backup.Repository;

/// <summary>
/// What is being done to the repository, written down before it is begun: who finds it there knows that the process before was ended half-way, and what
/// it may have changed without having said so in the list of hashes.
/// </summary>
/// <param name="Removes">The labels of the backups that are removed.</param>
/// <param name="RemovesLog">Whether a part of the log is removed.</param>
internal sealed record UnfinishedWork(IReadOnlyList<string> Removes, bool RemovesLog)
{
    private const string LogMark = "log";

    /// <summary>Nothing is removed.</summary>
    public static UnfinishedWork Adding { get; } = new([], RemovesLog: false);

    private static string FileOf(string directory) => Path.Combine(directory, "unfinished");

    /// <summary>What was left half-done; null when nothing was.</summary>
    public static UnfinishedWork? Read(string directory)
    {
        try
        {
            var lines = File.ReadAllLines(FileOf(directory));
            return new UnfinishedWork([.. lines.Where(line => line.Length > 0 && line != LogMark)], lines.Contains(LogMark));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BackupException($"{FileOf(directory)} cannot be read: {e.Message}", ExitCodes.CannotCreate, e);
        }
    }

    /// <summary>Writes it down.</summary>
    public void Begin(string directory) =>
        OwnerOnly.Write(FileOf(directory), string.Concat((RemovesLog ? [.. Removes, LogMark] : Removes).Select(line => line + "\n")));

    /// <summary>It is done, and the list says so.</summary>
    public static void End(string directory) => File.Delete(FileOf(directory));
}
