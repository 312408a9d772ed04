using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Gateway.Bson;
using Platform.Gateway.Protocol;

namespace Platform.Gateway.Commands;

/// <summary>
/// The statements of an insert, update or delete that has several, in the order in which they are run, and how many of them one
/// transaction holds.
/// <para>
/// To the server each statement stands alone; a transaction for each would be slow, and one for all of them waits for others that wait for it. So
/// a transaction holds a run of statements that name one document each by <c>_id</c>, in ascending order: two runs that meet wait in one
/// direction only. The statements of an unordered command are sorted by <c>_id</c>, unless one of them does not name it. Any other update or
/// delete has a transaction of its own. Documents to insert share one. A run that meets a conflict
/// all the same is undone, and its statements are run alone.
/// </para>
/// <para>What does not look like a statement makes the whole command one run: the engine reads all of a command before it runs any of it, and refuses it.</para>
/// </summary>
internal sealed class WriteBatch
{
    private const int MostStatements = 1000;

    private readonly RawDocument _body;
    private readonly DocumentSequence? _sequence;
    private readonly string _field;
    private readonly ReadOnlyMemory<byte>[] _statements;
    private readonly Place[]? _places;
    private readonly int[]? _order;
    private RawDocument _head;

    private WriteBatch(RawDocument body, DocumentSequence? sequence, string field, ReadOnlyMemory<byte>[] statements)
    {
        _body = body;
        _sequence = sequence;
        _field = field;
        _statements = statements;
        IsOrdered = !body.TryGet("ordered"u8, out var ordered) || ordered.Truthy;
        _places = field == "documents" ? null : Places(statements, field == "updates");
        if (_places is not null && !IsOrdered && Sorted(_places) is { } order)
        {
            _order = order;
            _statements = [.. order.Select(i => statements[i])];
            _places = [.. order.Select(i => _places[i])];
        }
    }

    /// <summary>How many statements there are.</summary>
    public int Count => _statements.Length;

    /// <summary>Whether the first failure is the end.</summary>
    public bool IsOrdered { get; }

    /// <summary>The statements of a command; null when it has only one, or no list of them.</summary>
    /// <param name="field">The command's field that holds them.</param>
    /// <param name="body">The command.</param>
    /// <param name="sequence">The statements, when they came beside the body.</param>
    public static WriteBatch? Of(string field, RawDocument body, DocumentSequence? sequence)
    {
        List<ReadOnlyMemory<byte>> statements;
        if (sequence is { } documents)
        {
            if (documents.Count < 2)
            {
                return null;
            }

            statements = new(documents.Count);
            for (var rest = documents.Documents; !rest.IsEmpty;)
            {
                // Checked already when the message was read.
                var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
                statements.Add(rest[..length]);
                rest = rest[length..];
            }
        }
        else
        {
            statements = [];
            foreach (var element in body)
            {
                if (element.NameText != field)
                {
                    continue;
                }

                if (element.Type != BsonType.Array || statements.Count > 0)
                {
                    return null;
                }

                foreach (var statement in element.Document)
                {
                    if (statement.Type != BsonType.Document)
                    {
                        return null;
                    }

                    statements.Add(statement.Value);
                }
            }
        }

        return statements.Count < 2 ? null : new WriteBatch(body, sequence, field, [.. statements]);
    }

    /// <summary>How many statements the run that begins at this position holds.</summary>
    public int RunFrom(int first)
    {
        if (_places is null)
        {
            return Count - first;
        }

        var upserts = 0;
        for (var next = first; next < Count; next++)
        {
            upserts += _places[next].IsUpsert ? 1 : 0;
            if (_places[next].Key is not { } key)
            {
                return Math.Max(1, next - first);
            }

            if (next - first == MostStatements || upserts > UpsertTurn.Most
                || (next > first && DocumentKey.Compare(_places[next - 1].Key!.Value, key) > 0))
            {
                return next - first;
            }
        }

        return Count - first;
    }

    /// <summary>The command with a part of its statements.</summary>
    public (RawDocument Body, DocumentSequence? Sequence) Part(int first, int count)
    {
        if (count == Count && _order is null)
        {
            return (_body, _sequence);
        }

        if (_head.IsMissing)
        {
            _head = _sequence is null ? new RawDocument(BsonBuilder.Without(_body, _field)) : _body;
        }

        if (count == 1)
        {
            return (_head, new DocumentSequence(_field, _statements[first], 1));
        }

        var part = _statements.AsSpan(first, count);
        var length = 0;
        foreach (var statement in part)
        {
            length += statement.Length;
        }

        var documents = new byte[length];
        var position = 0;
        foreach (var statement in part)
        {
            statement.Span.CopyTo(documents.AsSpan(position));
            position += statement.Length;
        }

        return (_head, new DocumentSequence(_field, documents, count));
    }

    /// <summary>Where the client put the statement at this position.</summary>
    public int IndexOf(int position) => _order is null ? position : _order[position];

    private static Place[]? Places(ReadOnlyMemory<byte>[] statements, bool updates)
    {
        var places = new Place[statements.Length];
        for (var i = 0; i < places.Length; i++)
        {
            if (Look(new RawDocument(statements[i]), updates) is not { } place)
            {
                return null;
            }

            places[i] = place;
        }

        return places;
    }

    private static Place? Look(RawDocument statement, bool updates)
    {
        RawElement? key = null;
        bool upsert = false, filter = false, effect = false;
        foreach (var field in statement)
        {
            if (field.Is("q"u8) && field.Type == BsonType.Document)
            {
                filter = true;
                if (field.Document.TryGet("_id"u8, out var id) && DocumentKey.IsOrdered(id))
                {
                    key = id;
                }
            }
            else if (updates ? field.Is("u"u8) && field.Type is BsonType.Document or BsonType.Array : field.Is("limit"u8))
            {
                effect = true;
            }
            else if (updates && field.Is("upsert"u8))
            {
                upsert = field.Truthy;
            }
            else if (!(updates
                ? field.Is("multi"u8) || field.Is("arrayFilters"u8) || field.Is("hint"u8) || field.Is("sort"u8) || field.Is("c"u8)
                : field.Is("hint"u8) || field.Is("collation"u8)))
            {
                return null;
            }
        }

        return filter && effect ? new Place(key, upsert) : null;
    }

    /// <summary>The order of the keys; null when they are in order already, or one is missing.</summary>
    private static int[]? Sorted(Place[] places)
    {
        var sorted = true;
        for (var i = 0; i < places.Length; i++)
        {
            if (places[i].Key is not { } key)
            {
                return null;
            }

            sorted &= i == 0 || DocumentKey.Compare(places[i - 1].Key!.Value, key) <= 0;
        }

        // The sort is stable: statements of one document stay in their order.
        return sorted ? null : [.. Enumerable.Range(0, places.Length).OrderBy(i => places[i].Key!.Value, Comparer<RawElement>.Create((x, y) => DocumentKey.Compare(x, y)))];
    }

    private readonly record struct Place(RawElement? Key, bool IsUpsert);
}
