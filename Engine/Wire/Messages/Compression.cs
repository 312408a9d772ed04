using System.Buffers.Binary;
using System.IO.Compression;

namespace Platform.Wire.Messages;

/// <summary>
/// OP_COMPRESSED: header | original opcode i32 | uncompressed size i32 | compressor u8 | bytes. Only zlib (2) and the
/// identity (0) are known; <c>hello</c> offers zlib.
/// </summary>
public static class Compression
{
    private const byte Identity = 0;
    private const byte Zlib = 2;

    // No more than this comes out of a byte (https://zlib.net/zlib_tech.html): what claims more is not even given the memory.
    private const int LargestRatio = 1032;

    /// <summary>
    /// Unpacks a compressed message into a plain one; throws <see cref="ProtocolException"/> when it is malformed or
    /// unpacks to more than <paramref name="maxLength"/> bytes or to another size than it claims.
    /// </summary>
    public static (MessageHeader Header, ReadOnlyMemory<byte> Message) Unpack(in MessageHeader header, ReadOnlyMemory<byte> message, int maxLength)
    {
        const int prefix = WireLimits.HeaderLength + 9;
        if (message.Length < prefix)
        {
            throw new ProtocolException("a compressed message is cut short");
        }

        var span = message.Span;
        var original = (OpCode)BinaryPrimitives.ReadInt32LittleEndian(span[WireLimits.HeaderLength..]);
        var size = BinaryPrimitives.ReadInt32LittleEndian(span[(WireLimits.HeaderLength + 4)..]);
        var compressor = span[prefix - 1];
        if (original == OpCode.Compressed || size < 0 || size > maxLength - WireLimits.HeaderLength)
        {
            throw new ProtocolException($"a compressed message claims {size} bytes of operation {(int)original}");
        }

        if (compressor == Zlib && size / LargestRatio > message.Length - prefix)
        {
            throw new ProtocolException($"a compressed message claims {size} bytes in {message.Length - prefix}");
        }

        if (compressor == Identity && size != message.Length - prefix)
        {
            throw new ProtocolException("a compressed message has another size than it claims");
        }

        if (compressor is not (Identity or Zlib))
        {
            throw new ProtocolException($"compressor {compressor} was not offered");
        }

        var plain = new byte[WireLimits.HeaderLength + size];
        var unpacked = header with { Length = plain.Length, OpCode = original };
        unpacked.Write(plain);
        if (compressor == Identity)
        {
            span[prefix..].CopyTo(plain.AsSpan(WireLimits.HeaderLength));
        }
        else
        {
            Inflate(message[prefix..], plain.AsSpan(WireLimits.HeaderLength));
        }

        return (unpacked, plain);
    }

    /// <summary>Packs the bytes behind a header into the body of a compressed message.</summary>
    public static byte[] Pack(OpCode original, ReadOnlySpan<byte> payload)
    {
        using var packed = new MemoryStream(payload.Length / 2 + 64);
        Span<byte> prefix = stackalloc byte[9];
        BinaryPrimitives.WriteInt32LittleEndian(prefix, (int)original);
        BinaryPrimitives.WriteInt32LittleEndian(prefix[4..], payload.Length);
        prefix[8] = Zlib;
        packed.Write(prefix);
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(payload);
        }

        return packed.ToArray();
    }

    private static void Inflate(ReadOnlyMemory<byte> packed, Span<byte> plain)
    {
        try
        {
            using var zlib = new ZLibStream(new MemoryStream(packed.ToArray(), writable: false), CompressionMode.Decompress);
            zlib.ReadExactly(plain);
            if (zlib.ReadByte() >= 0)
            {
                throw new ProtocolException("a compressed message is larger than it claims");
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new ProtocolException($"a compressed message cannot be unpacked: {e.Message}");
        }
    }
}
