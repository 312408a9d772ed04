using Platform.Backup.Engines;

namespace Platform.Backup.Repository;

/// <summary>
/// Lets one process at a time work on the repository. It ends with its process, however that ended; what pgBackRest then still does, its own lock keeps
/// others from.
/// </summary>
internal sealed class RepositoryLock : IDisposable
{
    private readonly FileStream _file;

    private RepositoryLock(FileStream file) => _file = file;

    /// <summary>Takes it.</summary>
    /// <param name="directory">The directory of the backups.</param>
    /// <exception cref="BackupException">Another process has it, or the directory cannot be written.</exception>
    public static RepositoryLock Take(string directory) => Take(directory, "lock", $"Another process works on the backups in {directory}");

    /// <summary>Takes another one, of what is known of the copy of the repository.</summary>
    /// <inheritdoc cref="Take(string)"/>
    public static RepositoryLock TakeCopy(string directory) => Take(directory, "copy.lock", $"Another process copies the backups in {directory}");

    private static RepositoryLock Take(string directory, string name, string busy)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                throw new BackupException("The servers of the image run on Linux only, and their backups too.", ExitCodes.Refused);
            }

            OwnerOnly.MakeDirectory(directory);
            // Not to share on Linux is flock(2), of this process alone.
            return new RepositoryLock(OwnerOnly.Open(Path.Combine(directory, name), FileMode.OpenOrCreate));
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && File.Exists(Path.Combine(directory, name)))
        {
            throw new BackupException($"{busy}; try again when it has ended.", ExitCodes.Busy, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException($"The directory of the backups {directory} cannot be written: {e.Message}", ExitCodes.CannotCreate, e);
        }
    }

    /// <summary>Sees to it that nothing of a process before is still at work.</summary>
    /// <param name="directory">The directory of the backups.</param>
    /// <exception cref="BackupException">It is.</exception>
    public static void NeedNoTool(string directory)
    {
        try
        {
            // The lock of the script that runs pgBackRest.
            OwnerOnly.Open(Path.Combine(directory, "tool.lock"), FileMode.OpenOrCreate).Dispose();
        }
        catch (IOException e) when (e.GetType() == typeof(IOException))
        {
            throw new BackupException("What a process before has begun is still at work; try again when it has ended.", ExitCodes.Busy, e);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();
}
