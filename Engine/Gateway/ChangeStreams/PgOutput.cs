using System.Buffers.Binary;
using System.Text;

namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// Reads what PostgreSQL's plugin <c>pgoutput</c> writes, one message at a time
/// (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html, version 1, values in binary).
/// </summary>
internal sealed class PgOutput
{
    // PostgreSQL counts from the year 2000.
    private const long Epoch = 946_684_800_000_000;

    private readonly Dictionary<uint, PgRelation> _relations = [];
    private readonly PgTuple _old = new();
    private readonly PgTuple _new = new();

    /// <summary>Where the record begins that commits the transaction.</summary>
    public ulong Commit { get; private set; }

    /// <summary>Where that record ends; known at the end of the transaction only.</summary>
    public ulong CommitEnd { get; private set; }

    /// <summary>When it was committed, in microseconds since 1970.</summary>
    public long CommittedAt { get; private set; }

    /// <summary>The table of the row that was read last.</summary>
    public PgRelation Relation { get; private set; } = PgRelation.Unknown;

    /// <summary>The row as it was: all of it, its key only, or nothing.</summary>
    public PgTuple Old => _old;

    /// <summary>The row as it became; nothing after a deletion.</summary>
    public PgTuple New => _new;

    /// <summary>Whether <see cref="Old"/> is the whole row.</summary>
    public bool HasWholeOld { get; private set; }

    /// <summary>Whose message <see cref="Content"/> is.</summary>
    public bool IsOwnMessage { get; private set; }

    /// <summary>Where the content of a message lies in what was read, as offset and length.</summary>
    public (int Offset, int Length) Content { get; private set; }

    /// <summary>The tables that were emptied.</summary>
    public IReadOnlyList<PgRelation> Truncated { get; private set; } = [];

    /// <summary>Reads a message and returns its kind; what it says is in the properties until the next one is read.</summary>
    public PgMessageKind Read(ReadOnlySpan<byte> message)
    {
        var reader = new Reader(message);
        switch (reader.Byte())
        {
            case (byte)'B':
                Commit = (ulong)reader.Int64();
                CommittedAt = reader.Int64() + Epoch;
                return PgMessageKind.Begin;
            case (byte)'C':
                _ = reader.Byte();
                _ = reader.Int64();
                CommitEnd = (ulong)reader.Int64();
                return PgMessageKind.Commit;
            case (byte)'R':
                ReadRelation(ref reader);
                return PgMessageKind.None;
            case (byte)'I':
                Relation = RelationOf(reader.Int32());
                _ = reader.Byte();
                _old.Clear();
                HasWholeOld = false;
                _new.Read(ref reader);
                return PgMessageKind.Insert;
            case (byte)'U':
                Relation = RelationOf(reader.Int32());
                ReadOld(ref reader, out var marker);
                if (marker != (byte)'N')
                {
                    throw new InvalidDataException($"An update has a row marked '{(char)marker}'.");
                }

                _new.Read(ref reader);
                return PgMessageKind.Update;
            case (byte)'D':
                Relation = RelationOf(reader.Int32());
                _new.Clear();
                ReadOld(ref reader, out _);
                return PgMessageKind.Delete;
            case (byte)'T':
                ReadTruncate(ref reader);
                return PgMessageKind.Truncate;
            case (byte)'M':
                ReadMessage(ref reader);
                return PgMessageKind.Message;
            default:
                // Types and origins.
                return PgMessageKind.None;
        }
    }

    private PgRelation RelationOf(int oid) => _relations.TryGetValue((uint)oid, out var relation)
        ? relation
        : throw new InvalidDataException($"A row belongs to table {(uint)oid}, which was not announced.");

    private void ReadOld(ref Reader reader, out byte marker)
    {
        marker = reader.Byte();
        _old.Clear();
        HasWholeOld = marker == (byte)'O';
        if (marker is (byte)'O' or (byte)'K')
        {
            _old.Read(ref reader);
            marker = reader.IsAtEnd ? (byte)0 : reader.Byte();
        }
    }

    private void ReadRelation(ref Reader reader)
    {
        var oid = (uint)reader.Int32();
        var schema = reader.Text();
        var name = reader.Text();
        _ = reader.Byte();
        var columns = new string[reader.Int16()];
        for (var i = 0; i < columns.Length; i++)
        {
            _ = reader.Byte();
            columns[i] = reader.Text();
            _ = reader.Int64(); // type and modifier
        }

        _relations[oid] = PgRelation.Of(schema, name, columns);
    }

    private void ReadTruncate(ref Reader reader)
    {
        var relations = new PgRelation[reader.Int32()];
        _ = reader.Byte();
        for (var i = 0; i < relations.Length; i++)
        {
            relations[i] = RelationOf(reader.Int32());
        }

        Truncated = relations;
    }

    private void ReadMessage(ref Reader reader)
    {
        _ = reader.Byte();
        _ = reader.Int64();
        IsOwnMessage = reader.Terminated().SequenceEqual("platform"u8);
        var length = reader.Int32();
        Content = (reader.Offset, length);
    }

    /// <summary>Walks the bytes of a message.</summary>
    internal ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        public int Offset { get; private set; }

        public readonly bool IsAtEnd => Offset >= _bytes.Length;

        public byte Byte() => Take(1)[0];

        public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

        public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

        public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

        public string Text() => Encoding.UTF8.GetString(Terminated());

        public ReadOnlySpan<byte> Terminated()
        {
            var text = _bytes.Slice(Offset, _bytes[Offset..].IndexOf((byte)0));
            Offset += text.Length + 1;
            return text;
        }

        public ReadOnlySpan<byte> Take(int count)
        {
            var taken = _bytes.Slice(Offset, count);
            Offset += count;
            return taken;
        }
    }
}
