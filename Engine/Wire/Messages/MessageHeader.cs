using System.Buffers.Binary;

namespace Platform.Wire.Messages;

/// <summary>The header of a message: four little-endian 32-bit integers.</summary>
/// <param name="Length">The whole message in bytes, this header included.</param>
/// <param name="RequestId">The sender's number for this message.</param>
/// <param name="ResponseTo">The request that this message answers; 0 in requests.</param>
/// <param name="OpCode">What follows the header.</param>
public readonly record struct MessageHeader(int Length, int RequestId, int ResponseTo, OpCode OpCode)
{
    /// <summary>Reads the header from the first 16 bytes.</summary>
    public static MessageHeader Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt32LittleEndian(bytes),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
        (OpCode)BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]));

    /// <summary>Writes the header into the first 16 bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], RequestId);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], ResponseTo);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], (int)OpCode);
    }
}
