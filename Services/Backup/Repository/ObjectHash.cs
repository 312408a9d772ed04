using System.Security.Cryptography;

namespace Platform.Backup.Repository;

/// <summary>What an object of the repository is known by.</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Hash">Its SHA-256, in hexadecimal digits.</param>
internal sealed record ObjectHash(long Length, string Hash)
{
    /// <summary>That of some bytes.</summary>
    public static ObjectHash Of(ReadOnlySpan<byte> bytes) => new(bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));

    /// <summary>That of a stream from where it is to its end.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="copy">Where its bytes go meanwhile; null for nowhere.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<ObjectHash> OfAsync(Stream stream, Stream? copy, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        long length = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            length += read;
            if (copy is not null)
            {
                await copy.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }

        return new ObjectHash(length, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
