using System.Security.Cryptography;
using System.Text;

namespace Platform.Data.Encryption;

/// <summary>
/// The key that the tenants' keys are encrypted with, which the database never sees. Its name is made of it, so that what was encrypted with another one is
/// told from what was changed.
/// </summary>
public sealed class MasterKey
{
    /// <summary>How many bytes it has.</summary>
    public const int Length = 96;

    // In base64, with a line end and some more; whatever is longer is another file.
    private const int MaxFileLength = 1024;
    private const UnixFileMode Others = ~(UnixFileMode.UserRead | UnixFileMode.UserWrite);

    private readonly byte[] _bytes;

    /// <summary>Wraps a key.</summary>
    /// <param name="bytes">The key.</param>
    /// <exception cref="FieldEncryptionException">It has another length.</exception>
    public MasterKey(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (bytes.Length != Length)
        {
            throw new FieldEncryptionException($"A master key has {Length} bytes, and this one has {bytes.Length}.");
        }

        _bytes = [.. bytes];
        Provider = $"local:k{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}";
    }

    /// <summary>The name by which keys that are encrypted with it refer to it, as the name of a KMS provider.</summary>
    public string Provider { get; }

    internal byte[] Bytes => _bytes;

    /// <summary>Makes a key.</summary>
    public static MasterKey Create() => new(RandomNumberGenerator.GetBytes(Length));

    /// <summary>The text of the file that <see cref="FromFile"/> reads.</summary>
    public string ToText() => Convert.ToBase64String(_bytes) + "\n";

    /// <summary>Reads a key.</summary>
    /// <param name="path">A file of 96 bytes in base64, which nobody but its owner may use.</param>
    /// <exception cref="FieldEncryptionException">It is no such file: a sentence that names it.</exception>
    public static MasterKey FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            // What is judged is what is read, also when the path is a link or is given another file meanwhile.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(stream.SafeFileHandle) is var mode && (mode & Others) != 0)
            {
                throw new FieldEncryptionException(
                    $"The master key {path} has the mode {Convert.ToString((int)mode, 8)}, which lets others use it: give it the mode 600.");
            }

            var text = new byte[MaxFileLength + 1];
            var length = stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            if (length > MaxFileLength)
            {
                throw new FieldEncryptionException(Wrong(path));
            }

            var bytes = Convert.FromBase64String(Encoding.UTF8.GetString(text, 0, length).Trim());
            return bytes.Length == Length ? new MasterKey(bytes) : throw new FieldEncryptionException(Wrong(path));
        }
        catch (FormatException exception)
        {
            throw new FieldEncryptionException(Wrong(path), exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FieldEncryptionException($"The master key {path} cannot be read: {exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}.", exception);
        }
    }

    private static string Wrong(string path) => $"The master key {path} is not {Length} bytes in base64, such as 'openssl rand -base64 {Length}' makes them.";
}
