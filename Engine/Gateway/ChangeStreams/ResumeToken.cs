using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// What a client hands back to go on where it was: <c>{_data: hexadecimal}</c>. Tokens that are compared as text are in the order of the events.
/// </summary>
/// <param name="Cluster">Which replica set it is of: a part of PostgreSQL's system identifier, which all members share.</param>
/// <param name="Position">The place in WAL.</param>
/// <param name="IsInvalidate">Whether it is that of an <c>invalidate</c> event.</param>
internal readonly record struct ResumeToken(uint Cluster, ChangePosition Position, bool IsInvalidate)
{
    /*  form u8 | cluster u32 | commit u64 | taken i32 | invalidate u8, the most significant byte first  */
    private const int Length = 18;
    private const byte Form = 0x82;
    private const string Field = "_data";

    /// <summary>The hexadecimal text.</summary>
    public string Data
    {
        get
        {
            Span<byte> bytes = stackalloc byte[Length];
            bytes[0] = Form;
            BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], Cluster);
            BinaryPrimitives.WriteUInt64BigEndian(bytes[5..], Position.Commit);
            BinaryPrimitives.WriteInt32BigEndian(bytes[13..], Position.Taken);
            bytes[17] = IsInvalidate ? (byte)1 : (byte)0;
            return Convert.ToHexString(bytes);
        }
    }

    /// <summary>Writes the token as a field.</summary>
    public void AddTo(BsonBuilder document, ReadOnlySpan<byte> name) => document.Start(name).Add("_data"u8, Data).End();

    /// <summary>Reads what a client handed back. Throws <see cref="CommandException"/> when it is no token.</summary>
    public static ResumeToken Parse(in RawElement option)
    {
        if (option.Type != BsonType.Document)
        {
            throw new CommandException(
                ErrorCode.TypeMismatch,
                $"BSON field '$changeStream.{option.NameText}' is the wrong type '{option.Type.ToString().ToLowerInvariant()}', expected type 'object'");
        }

        if (!option.Document.TryGet("_data"u8, out var data) || data.Text is not { } text)
        {
            throw new CommandException((ErrorCode)40647, $"Bad resume token: {Field} of missing or of wrong type: {option.Document.ToTree()}");
        }

        Span<byte> bytes = stackalloc byte[Length];
        if (text.Length != 2 * Length || Convert.FromHexString(text, bytes, out _, out var written) != System.Buffers.OperationStatus.Done || written != Length
            || bytes[0] != Form || bytes[17] > 1 || BinaryPrimitives.ReadInt32BigEndian(bytes[13..]) < 0)
        {
            throw new CommandException(ErrorCode.InvalidResumeToken, "The resume token is none of this server's.");
        }

        return new ResumeToken(
            BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]),
            new ChangePosition(BinaryPrimitives.ReadUInt64BigEndian(bytes[5..]), BinaryPrimitives.ReadInt32BigEndian(bytes[13..])),
            bytes[17] == 1);
    }
}
