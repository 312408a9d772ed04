using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Audit;

/// <summary>How far a log is: its last line that is on the disk.</summary>
/// <param name="Number">The line's number; 0 when there is none yet.</param>
/// <param name="Hash">Its hash.</param>
internal sealed record AuditHead(long Number, string Hash);

/// <summary>
/// What is kept of a log outside of it: <c>WRITER.key</c>, which its lines are signed with, and <c>WRITER.head</c>, how far it is, signed with the same key,
/// so that an end that was cut off is missed.
/// </summary>
internal sealed class AuditState(string directory, string writer) : IDisposable
{
    private const int KeyLength = 32;
    private const int HeadLength = 20 + 1 + 64 + 1 + 64 + 1;
    private const string HeadExtension = ".head";
    private const int Attempts = 5;

    private FileStream? _head;

    /// <summary>The file with the key.</summary>
    public string KeyFile => Path.Combine(directory, writer + ".key");

    /// <summary>The file that says how far the log is.</summary>
    public string HeadFile => Path.Combine(directory, writer + HeadExtension);

    /// <summary>Whose logs a directory knows of.</summary>
    public static IEnumerable<string> Writers(string directory) => Directory.Exists(directory)
        ? Directory.GetFiles(directory, "*" + HeadExtension).Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)
        : [];

    /// <summary>The key; null when there is none.</summary>
    /// <exception cref="AuditUnavailableException">The file is not as it was made.</exception>
    public byte[]? ReadKey()
    {
        try
        {
            var key = Convert.FromBase64String(File.ReadAllText(KeyFile).Trim());
            return key.Length == KeyLength ? key : throw new FormatException();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (FormatException exception)
        {
            throw new AuditUnavailableException($"The key {KeyFile} is not as it was made: it must be 32 bytes in base64.", exception);
        }
    }

    /// <summary>Makes a key.</summary>
    public byte[] MakeKey()
    {
        OwnerOnly.MakeDirectory(directory);
        var key = RandomNumberGenerator.GetBytes(KeyLength);
        var draft = KeyFile + ".new";
        using (var file = AuditFiles.Open(draft, FileMode.Create, FileShare.None))
        {
            file.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(key) + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, KeyFile);
        return key;
    }

    /// <summary>How far the log is; null when that is not there, or not as it was written.</summary>
    public AuditHead? ReadHead(byte[] key)
    {
        for (var attempt = 1; ; attempt++)
        {
            var text = ReadHeadText();
            if (text?.Length == HeadLength
                && long.TryParse(text.AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && Text(new AuditHead(number, text[21..85]), key) == text)
            {
                return new AuditHead(number, text[21..85]);
            }

            // It is written in its place: one half may have been read before, and the other after that.
            if (text is null || attempt == Attempts)
            {
                return null;
            }
        }
    }

    /// <summary>Says how far the log is.</summary>
    public void WriteHead(AuditHead head, byte[] key)
    {
        _head ??= AuditFiles.Open(HeadFile, FileMode.OpenOrCreate, FileShare.ReadWrite);
        RandomAccess.Write(_head.SafeFileHandle, Encoding.ASCII.GetBytes(Text(head, key)), 0);
    }

    /// <inheritdoc />
    public void Dispose() => _head?.Dispose();

    private string? ReadHeadText()
    {
        try
        {
            using var file = new FileStream(HeadFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            Span<byte> bytes = stackalloc byte[HeadLength + 1];
            return Encoding.Latin1.GetString(bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)]);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static string Text(AuditHead head, byte[] key)
    {
        var said = string.Create(CultureInfo.InvariantCulture, $"{head.Number:D20} {head.Hash}");
        return $"{said} {Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes("head " + said)))}\n";
    }
}
