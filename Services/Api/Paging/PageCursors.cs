using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MongoDB.Bson;

namespace Platform.Api.Paging;

/// <summary>
/// The opaque texts by which a caller asks for the next page: the position of the last item, signed for the list that
/// it was made for. A cursor that was changed, cut, invented, or made for another tenant or filter is refused.
/// </summary>
/// <remarks>
/// Base64url of <c>version (1 byte) | HMAC-SHA256, cut to 16 bytes | type of the sort value (1 byte) | sort value (8 or
/// 16 bytes) | id (12 bytes)</c>. The HMAC covers the list's name and everything after it, so nothing that a caller
/// made up is read.
/// </remarks>
public sealed class PageCursors
{
    private const byte Version = 2;
    private const int DigestLength = 16;
    private const int PositionStart = 1 + DigestLength;
    private const int IdLength = 12;
    private const int MinLength = PositionStart + 1 + 8 + IdLength;
    private const int MaxLength = PositionStart + 1 + 16 + IdLength;

    private const byte DateTimeType = 1;
    private const byte DecimalType = 2;
    private const byte DoubleType = 3;

    private readonly byte[] _key;

    /// <summary>Signs with the configured key.</summary>
    /// <param name="options">The key.</param>
    public PageCursors(IOptions<PagingOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        // A key of its own for this use, whatever else the secret is used for.
        _key = HKDF.DeriveKey(
            HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(options.Value.CursorKey), outputLength: 32,
            info: "platform page cursors"u8.ToArray());
    }

    /// <summary>Makes the cursor that continues after a position.</summary>
    /// <param name="list">What identifies the list: tenant, filter and order.</param>
    /// <param name="position">
    /// The last item returned: <c>k</c>, the value that the list is sorted by, and <c>i</c>, its id.
    /// </param>
    public string Encode(string list, BsonDocument position)
    {
        ArgumentNullException.ThrowIfNull(list);
        ArgumentNullException.ThrowIfNull(position);
        Span<byte> bytes = stackalloc byte[MaxLength];
        bytes[0] = Version;
        var at = PositionStart;
        switch (position["k"])
        {
            case BsonDateTime time:
                bytes[at] = DateTimeType;
                BinaryPrimitives.WriteInt64BigEndian(bytes[(at + 1)..], time.MillisecondsSinceEpoch);
                at += 9;
                break;
            case BsonDecimal128 number:
                bytes[at] = DecimalType;
                BinaryPrimitives.WriteUInt64BigEndian(bytes[(at + 1)..], number.Value.GetIEEEHighBits());
                BinaryPrimitives.WriteUInt64BigEndian(bytes[(at + 9)..], number.Value.GetIEEELowBits());
                at += 17;
                break;
            case BsonDouble number:
                bytes[at] = DoubleType;
                BinaryPrimitives.WriteDoubleBigEndian(bytes[(at + 1)..], number.Value);
                at += 9;
                break;
            case var other:
                throw new ArgumentException($"No list is sorted by a {other.BsonType}.", nameof(position));
        }

        position["i"].AsObjectId.ToByteArray().CopyTo(bytes[at..]);
        at += IdLength;
        Sign(list, bytes[PositionStart..at], bytes.Slice(1, DigestLength));
        return Base64Url.EncodeToString(bytes[..at]);
    }

    /// <summary>Reads a cursor back.</summary>
    /// <param name="list">What identifies the list: tenant, filter and order.</param>
    /// <param name="text">What the caller sent.</param>
    /// <returns>The position, or null when the text is not a cursor of this list.</returns>
    public BsonDocument? Decode(string list, string text)
    {
        ArgumentNullException.ThrowIfNull(list);
        ArgumentNullException.ThrowIfNull(text);
        Span<byte> buffer = stackalloc byte[MaxLength];
        if (text.Length > Base64Url.GetEncodedLength(MaxLength)
            || !Base64Url.IsValid(text)
            || !Base64Url.TryDecodeFromChars(text, buffer, out var length)
            || length < MinLength
            || buffer[0] != Version)
        {
            return null;
        }

        // One text for each cursor: no padding, no line ends, no stray bits.
        ReadOnlySpan<byte> bytes = buffer[..length];
        Span<byte> digest = stackalloc byte[DigestLength];
        Sign(list, bytes[PositionStart..], digest);
        if (Base64Url.EncodeToString(bytes) != text
            || !CryptographicOperations.FixedTimeEquals(digest, bytes.Slice(1, DigestLength)))
        {
            return null;
        }

        var value = bytes[(PositionStart + 1)..^IdLength];
        BsonValue? key = (bytes[PositionStart], value.Length) switch
        {
            (DateTimeType, 8) => new BsonDateTime(BinaryPrimitives.ReadInt64BigEndian(value)),
            (DecimalType, 16) => new BsonDecimal128(Decimal128.FromIEEEBits(
                BinaryPrimitives.ReadUInt64BigEndian(value), BinaryPrimitives.ReadUInt64BigEndian(value[8..]))),
            (DoubleType, 8) => new BsonDouble(BinaryPrimitives.ReadDoubleBigEndian(value)),
            _ => null,
        };
        return key is null
            ? null
            : new BsonDocument { { "k", key }, { "i", new ObjectId(bytes[^IdLength..].ToArray()) } };
    }

    private void Sign(string list, ReadOnlySpan<byte> position, Span<byte> digest)
    {
        var name = Encoding.UTF8.GetBytes(list);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, name.Length);
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hmac.AppendData([Version]);
        hmac.AppendData(length);
        hmac.AppendData(name);
        hmac.AppendData(position);
        hmac.GetHashAndReset().AsSpan(0, DigestLength).CopyTo(digest);
    }
}
