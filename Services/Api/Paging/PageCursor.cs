using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;

namespace Platform.Api.Paging;

/// <summary>
/// The opaque text by which a caller asks for the next page: the position of the last item, bound to the list that it was
/// made for. A cursor that was changed, cut, or made for another tenant or filter is refused.
/// </summary>
/// <remarks>
/// Base64url of <c>version (1 byte) | digest (8 bytes) | position (BSON)</c>. The digest covers the list's name and the
/// position; it catches mistakes and is no secret. A caller who forges one only gets another place in its own list, since
/// the tenant and the filter are always taken from the request.
/// </remarks>
public static class PageCursor
{
    private const byte Version = 1;
    private const int DigestLength = 8;
    private const int MaxTextLength = 1024;

    /// <summary>Makes the cursor that continues after a position.</summary>
    /// <param name="list">What identifies the list: tenant, filter and order.</param>
    /// <param name="position">The sort values of the last item returned.</param>
    public static string Encode(string list, BsonDocument position)
    {
        ArgumentNullException.ThrowIfNull(list);
        ArgumentNullException.ThrowIfNull(position);
        var payload = position.ToBson();
        var bytes = new byte[1 + DigestLength + payload.Length];
        bytes[0] = Version;
        Digest(list, payload).CopyTo(bytes.AsSpan(1));
        payload.CopyTo(bytes.AsSpan(1 + DigestLength));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a cursor back.</summary>
    /// <param name="list">What identifies the list: tenant, filter and order.</param>
    /// <param name="text">What the caller sent.</param>
    /// <returns>The position, or null when the text is not a cursor of this list.</returns>
    public static BsonDocument? Decode(string list, string text)
    {
        ArgumentNullException.ThrowIfNull(list);
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaxTextLength || !Base64Url.IsValid(text))
        {
            return null;
        }

        byte[] bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length <= 1 + DigestLength || bytes[0] != Version || Base64Url.EncodeToString(bytes) != text)
        {
            return null;
        }

        var payload = bytes.AsSpan(1 + DigestLength);
        if (!CryptographicOperations.FixedTimeEquals(Digest(list, payload), bytes.AsSpan(1, DigestLength)))
        {
            return null;
        }

        try
        {
            return MongoDB.Bson.Serialization.BsonSerializer.Deserialize<BsonDocument>(payload.ToArray());
        }
        catch (Exception exception) when (exception is BsonSerializationException or FormatException or EndOfStreamException)
        {
            // A forged digest around something that is not BSON.
            return null;
        }
    }

    private static byte[] Digest(string list, ReadOnlySpan<byte> payload)
    {
        var name = Encoding.UTF8.GetBytes(list);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(name.Length));
        hash.AppendData(name);
        hash.AppendData(payload);
        return hash.GetHashAndReset()[..DigestLength];
    }
}
