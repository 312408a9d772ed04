using System.Security.Cryptography;
using System.Text;
using Platform.Backup.Engines;
using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>
/// Which repository a copy is of: a random name, on this machine and in the copy. A new repository, as after <c>./platform clean --all</c>, must not take the
/// place of the copy of the one before, which may be all that is left of it.
/// </summary>
internal static class CopyIdentity
{
    private const int Length = 32;

    /// <summary>Where this machine has it.</summary>
    /// <param name="directory">The directory of the backups.</param>
    public static string FileOf(string directory) => Path.Combine(directory, "copy.id");

    /// <summary>Sees to it that the copy is of this repository; one that is empty is from now on.</summary>
    /// <param name="store">The copy.</param>
    /// <param name="directory">The directory of the backups.</param>
    /// <param name="hasRepository">Whether there is a repository in the copy.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">It is of another one.</exception>
    public static async Task EnsureAsync(ICopyStore store, string directory, bool hasRepository, CancellationToken cancellationToken)
    {
        var file = FileOf(directory);
        var own = File.Exists(file) ? (await File.ReadAllTextAsync(file, cancellationToken)).Trim() : null;
        var there = await ReadAsync(store, cancellationToken);
        if (there is not null && there == own)
        {
            return;
        }

        if (there is not null || (own is null && hasRepository))
        {
            throw new BackupException(
                $"{store.Place} has the copy of another repository than the one in {directory}: give each a Backup:S3:Prefix of its own. If it is this one's, "
                + (there is null ? "remove it there, and it is made anew." : $"write {there} into {file}."),
                ExitCodes.Refused);
        }

        if (own is null)
        {
            own = RandomNumberGenerator.GetHexString(Length, lowercase: true);
            OwnerOnly.Write(file, own + "\n");
        }

        var bytes = Encoding.ASCII.GetBytes(own);
        using var content = new MemoryStream(bytes);
        await store.PutAsync(CopyNames.Identity, ObjectHash.Of(bytes), content, cancellationToken);
    }

    /// <summary>Whether a copy is of the repository of this machine.</summary>
    public static async Task<bool> IsOursAsync(ICopyStore store, string directory, CancellationToken cancellationToken) =>
        File.Exists(FileOf(directory))
        && (await File.ReadAllTextAsync(FileOf(directory), cancellationToken)).Trim() == await ReadAsync(store, cancellationToken);

    /// <summary>Of which repository the copy is; null when it does not say so.</summary>
    public static async Task<string?> ReadAsync(ICopyStore store, CancellationToken cancellationToken)
    {
        using var found = await store.OpenAsync(CopyNames.Identity, cancellationToken);
        if (found is null)
        {
            return null;
        }

        var buffer = new byte[Length + 1];
        var read = await found.Content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        var text = Encoding.ASCII.GetString(buffer, 0, read);
        return text.Length == Length && text.All(char.IsAsciiHexDigitLower)
            ? text
            : throw new BackupException($"{store.Place} has something else as {CopyNames.Identity} than the name of a repository.", ExitCodes.Refused);
    }
}
