using System.Buffers.Binary;
using MongoDB.Bson;

namespace Platform.Seeder.Generation;

/// <summary>
/// Keys of seeded documents: <c>5eedc0de</c>, the kind, the tenant's number in three bytes, then the document's number among its tenant's.
/// So a key names a document of the same tenant whatever is seeded, equal data has equal keys, and what was seeded is exactly a range of keys: a
/// key that a driver makes would fall into it only if made in one certain second of 2020, and then hardly ever.
/// </summary>
internal static class SeedId
{
    private const uint Mark = 0x5eedc0de;

    public static ObjectId Create(SeedKind kind, int tenant, long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tenant);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(tenant, SeedSize.MostTenants);
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, uint.MaxValue);
        Span<byte> bytes = stackalloc byte[12];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Mark);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], (uint)kind << 24 | (uint)tenant);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], (uint)number);
        return new ObjectId(bytes.ToArray());
    }

    /// <summary>The least and the greatest key of a kind.</summary>
    public static (ObjectId First, ObjectId Last) Range(SeedKind kind) => (Create(kind, 0, 0), Create(kind, SeedSize.MostTenants - 1, uint.MaxValue));

    /// <summary>Whether a key is in the range of a kind; the tenant's number, and the document's among the tenant's.</summary>
    public static bool TryRead(ObjectId id, SeedKind kind, out int tenant, out long number)
    {
        Span<byte> bytes = stackalloc byte[12];
        id.ToByteArray().CopyTo(bytes);
        tenant = (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]) & 0xffffff);
        number = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) == Mark && bytes[4] == (byte)kind && tenant < SeedSize.MostTenants;
    }
}
