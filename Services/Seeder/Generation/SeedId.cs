using System.Buffers.Binary;
using MongoDB.Bson;

namespace Platform.Seeder.Generation;

/// <summary>
/// Keys of seeded documents: <c>5eedc0de</c>, then the kind, then three bytes zero, then a running number. So equal data has equal
/// keys, and what was seeded is exactly a range of keys: a key that a driver makes would fall into it only if made in one certain
/// second of 2020, on a machine that drew zeros for its random part.
/// </summary>
internal static class SeedId
{
    private const uint Mark = 0x5eedc0de;

    public static ObjectId Create(SeedKind kind, long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, uint.MaxValue);
        Span<byte> bytes = stackalloc byte[12];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Mark);
        bytes[4] = (byte)kind;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], (uint)number);
        return new ObjectId(bytes.ToArray());
    }

    /// <summary>The least and the greatest key of a kind.</summary>
    public static (ObjectId First, ObjectId Last) Range(SeedKind kind) => (Create(kind, 0), Create(kind, uint.MaxValue));

    /// <summary>Whether a key is in the range of a kind, and its number.</summary>
    public static bool TryRead(ObjectId id, SeedKind kind, out long number)
    {
        Span<byte> bytes = stackalloc byte[12];
        id.ToByteArray().CopyTo(bytes);
        number = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) == Mark && bytes[4] == (byte)kind && bytes[5..8].IndexOfAnyExcept((byte)0) < 0;
    }
}
