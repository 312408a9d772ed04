namespace Platform;

/// <summary>
/// A file with the passwords of one user, one on each line (mode 600), which programs read at each login, so that a password can be replaced while they run.
/// The first is the one to log in with; while a password is being replaced there are two.
/// </summary>
/// <param name="path">Its path.</param>
public sealed class PasswordFile(string path)
{
    /// <summary>The directory below the data directory with a file for each password that can be replaced while the stack runs.</summary>
    public const string DirectoryName = "credentials";

    private volatile IReadOnlyList<string>? _last;

    /// <summary>Its path.</summary>
    public string Path => path;

    /// <summary>The passwords; those that were read last when the file cannot be read any more, since a login must not fail for that.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, or has no password, and never had one: the message says so in a sentence.</exception>
    public IReadOnlyList<string> Read()
    {
        try
        {
            IReadOnlyList<string> lines = [.. File.ReadAllLines(path).Where(line => line.Length > 0)];
            return lines.Count > 0 ? _last = lines : _last ?? throw new InvalidDataException($"The password file {path} has no password.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return _last ?? throw new InvalidDataException($"The password file {path} cannot be read: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
    }

    /// <summary>Replaces the passwords: a reader sees the old ones or the new ones.</summary>
    /// <param name="passwords">The passwords.</param>
    public void Write(params IEnumerable<string> passwords) => OwnerOnly.Write(path, string.Concat(passwords.Select(password => $"{password}\n")));
}
