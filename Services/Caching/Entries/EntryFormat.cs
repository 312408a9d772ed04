using System.Buffers.Binary;
using ZiggyCreatures.Caching.Fusion.Internals.Distributed;
using ZiggyCreatures.Caching.Fusion.Serialization;

namespace Platform.Caching.Entries;

/// <summary>
/// An entry as bytes. The head, in little endian: version (1 byte), number of scopes n (1), 6 unused, the stamp (8; of the process that read it from Redis,
/// 0 in Redis), the mark (8), n marks of scopes (8 each), when it was read (8), until when it is fresh (8); then the content as it is.
/// </summary>
internal sealed class EntryFormat : IFusionCacheSerializer
{
    private const byte Version = 1;
    private const int StampAt = 8;
    private const int MarkAt = 16;
    private const int ScopesAt = 24;

    // More than any entry has; what claims more is none.
    private const int MaxScopes = 16;

    /// <inheritdoc/>
    public byte[] Serialize<T>(T? obj)
    {
        var entry = ((FusionCacheDistributedEntry<CachedEntry>)(object)obj!).Value;
        var count = entry.ScopeMarks.Length;
        var head = HeadLength(count);
        var data = new byte[head + entry.Content.Length];
        (data[0], data[1]) = (Version, (byte)count);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(MarkAt), entry.Mark);
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(ScopesAt + (8 * i)), entry.ScopeMarks[i]);
        }

        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(head - 16), entry.ReadAt);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(head - 8), entry.FreshUntil);
        entry.Content.Span.CopyTo(data.AsSpan(head));
        return data;
    }

    /// <inheritdoc/>
    public T? Deserialize<T>(byte[] data)
    {
        var entry = Read(data);
        return (T)(object)new FusionCacheDistributedEntry<CachedEntry>(entry, entry.ReadAt, entry.FreshUntil, null, null);
    }

    /// <summary>Reads an entry.</summary>
    /// <param name="data">An entry as bytes.</param>
    /// <exception cref="FormatException">They are no entry.</exception>
    public static CachedEntry Read(byte[] data)
    {
        var (scopes, head) = ReadHead(data);
        return new CachedEntry
        {
            Content = data.AsMemory(head),
            Exists = true,
            Stamp = BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(StampAt)),
            Mark = BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(MarkAt)),
            ScopeMarks = scopes,
            ReadAt = BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(head - 16)),
            FreshUntil = BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(head - 8)),
        };
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> SerializeAsync<T>(T? obj, CancellationToken token = default) => new(Serialize(obj));

    /// <inheritdoc/>
    public ValueTask<T?> DeserializeAsync<T>(byte[] data, CancellationToken token = default) => new(Deserialize<T>(data));

    /// <summary>The mark under which bytes may be stored; 0: none.</summary>
    /// <param name="data">An entry as bytes.</param>
    public static long MarkOf(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadInt64LittleEndian(data[MarkAt..]);

    /// <summary>Whether bytes are an entry of this form.</summary>
    /// <param name="data">What Redis had.</param>
    public static bool IsEntry(ReadOnlySpan<byte> data) =>
        data.Length >= ScopesAt && data[0] == Version && data[1] <= MaxScopes && data.Length >= HeadLength(data[1]);

    /// <summary>Whether the entry was read under these marks of its scopes.</summary>
    /// <param name="data">An entry as bytes.</param>
    /// <param name="marks">The marks, as they are now.</param>
    public static bool IsUnder(ReadOnlySpan<byte> data, ReadOnlySpan<long> marks)
    {
        if (data[1] != marks.Length)
        {
            return false;
        }

        for (var i = 0; i < marks.Length; i++)
        {
            if (marks[i] == 0 || BinaryPrimitives.ReadInt64LittleEndian(data[(ScopesAt + (8 * i))..]) != marks[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Puts this process's stamp into the head.</summary>
    /// <param name="data">An entry as bytes.</param>
    /// <param name="stamp">The stamp from before Redis was asked.</param>
    public static void SetStamp(Span<byte> data, long stamp) => BinaryPrimitives.WriteInt64LittleEndian(data[StampAt..], stamp);

    private static int HeadLength(int scopes) => ScopesAt + (8 * scopes) + 16;

    private static (long[] Scopes, int Head) ReadHead(byte[] data)
    {
        if (!IsEntry(data))
        {
            throw new FormatException("The bytes are no entry of the cache.");
        }

        var scopes = new long[data[1]];
        for (var i = 0; i < scopes.Length; i++)
        {
            scopes[i] = BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(ScopesAt + (8 * i)));
        }

        return (scopes, HeadLength(scopes.Length));
    }
}
