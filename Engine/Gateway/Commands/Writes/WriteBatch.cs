using MongoDB.Bson;
using Platform.Gateway.Corrections;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Commands.Writes;

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
/// <para>
/// A run of an ordered command is sorted, too, when nobody could tell: it is seen as a whole or not at all, its statements are about different
/// documents (those about the same one stay in their order), and no unique index lets one decide whether another one fails. When one of them fails, the
/// run is undone as after a conflict, and its statements are run in the client's order.
/// </para>
/// <para>What does not look like a statement makes the whole command one run: the backend reads all of a command before it runs any of it, and refuses
/// it.</para>
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
    private readonly bool _inTransaction;
    private RawDocument _head;
    private bool _sortsRuns;
    private (int First, int Count, int[]? Order) _run;

    private WriteBatch(RawDocument body, DocumentSequence? sequence, string field, ReadOnlyMemory<byte>[] statements, bool inTransaction)
    {
        _inTransaction = inTransaction;
        _body = body;
        _sequence = sequence;
        _field = field;
        _statements = statements;
        IsOrdered = !body.TryGet("ordered"u8, out var ordered) || ordered.Truthy;
        _places = field == "documents" ? null : Places(statements, field == "updates");
        if (_places is not null && !IsOrdered && !inTransaction && Sorted(_places, 0, _places.Length) is { } order)
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

    /// <summary>Whether a statement is about all documents that match.</summary>
    public bool HasMulti => _places is not null && Array.Exists(_places, p => p.IsMulti);

    /// <summary>The statements of a command; null when it has only one, or no list of them.</summary>
    /// <param name="field">The command's field that holds them.</param>
    /// <param name="body">The command.</param>
    /// <param name="sequence">The statements, when they came beside the body.</param>
    /// <param name="inTransaction">Whether all of them are a part of one transaction: runs are then what the backend counts in one way.</param>
    public static WriteBatch? Of(string field, RawDocument body, DocumentSequence? sequence, bool inTransaction)
    {
        List<ReadOnlyMemory<byte>> statements;
        if (sequence is { } documents)
        {
            if (documents.Count < 2)
            {
                return null;
            }

            statements = new(documents.Count);
            foreach (var statement in documents)
            {
                statements.Add(statement.Bytes);
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

        return statements.Count < 2 ? null : new WriteBatch(body, sequence, field, [.. statements], inTransaction);
    }

    /// <summary>Whether the order of its keys makes an ordered command many short runs.</summary>
    public bool IsScattered => IsOrdered && !_inTransaction && _places is not null && Descends(_places);

    /// <summary>Whether all statements leave the fields of unique indexes as they are, so that none can fail, or not fail, because of another one.</summary>
    /// <param name="unique">The first parts of the paths in unique indexes.</param>
    public bool KeepsOff(IReadOnlySet<string> unique)
    {
        if (unique.Count == 0 || _field == "deletes")
        {
            return true;
        }

        for (var i = 0; i < _statements.Length; i++)
        {
            if (_places![i].IsUpsert || !KeepsOff(new RawDocument(_statements[i]), unique))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Has each run of an ordered command sorted by <c>_id</c>; see <see cref="KeepsOff(IReadOnlySet{string})"/>.</summary>
    public void SortRuns() => _sortsRuns = true;

    /// <summary>Whether a run is not in the order in which the client expects it to be run, so that it has to succeed as a whole.</summary>
    public bool IsSortedRun(int first, int count) => IsOrdered && OrderOf(first, count) is not null;

    /// <summary>How many statements the run that begins at this position holds.</summary>
    public int RunFrom(int first)
    {
        if (_places is null)
        {
            return Count - first;
        }

        if (_inTransaction)
        {
            var end = first + 1;
            while (end < Count && _places[end].IsMulti == _places[first].IsMulti)
            {
                end++;
            }

            return end - first;
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
                || (!_sortsRuns && next > first && DocumentKey.Compare(_places[next - 1].Key!.Value, key) > 0))
            {
                return next - first;
            }
        }

        return Count - first;
    }

    /// <summary>The command with a part of its statements.</summary>
    public (RawDocument Body, DocumentSequence? Sequence) Part(int first, int count)
    {
        var order = OrderOf(first, count);
        if (count == Count && _order is null && order is null)
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

        ReadOnlySpan<ReadOnlyMemory<byte>> part = order is null ? _statements.AsSpan(first, count) : Array.ConvertAll(order, i => _statements[i]);
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

    /// <summary>Where the client put a statement of a run.</summary>
    /// <param name="first">Where the run begins.</param>
    /// <param name="count">How many statements it holds.</param>
    /// <param name="place">The statement's place in the run.</param>
    public int IndexOf(int first, int count, int place) =>
        _order is not null ? _order[first + place] : OrderOf(first, count) is { } order ? order[place] : first + place;

    /// <summary>Whether a run is all of the command, in the client's order.</summary>
    public bool IsWhole(int first, int count) => first == 0 && count == Count && _order is null && OrderOf(first, count) is null;

    /// <summary>
    /// The order of a run of an ordered command, as positions; null when it is the client's. It follows from the statements alone, so
    /// that the outcome of a run is understood when it is known from an earlier attempt.
    /// </summary>
    private int[]? OrderOf(int first, int count)
    {
        if (count == 1 || !IsOrdered || _places is null || _inTransaction)
        {
            return null;
        }

        if (_run.First != first || _run.Count != count)
        {
            _run = (first, count, Sorted(_places, first, count));
        }

        return _run.Order;
    }

    private static bool KeepsOff(RawDocument statement, IReadOnlySet<string> unique)
    {
        if (!statement.TryGet("u"u8, out var update) || update.Type != BsonType.Document)
        {
            return false;
        }

        foreach (var step in update.Document)
        {
            if (!step.NameText.StartsWith('$') || step.Type != BsonType.Document)
            {
                return false;
            }

            foreach (var field in step.Document)
            {
                if (unique.Contains(FirstPart(field.NameText))
                    || (step.Is("$rename"u8) && (field.Text is not { } target || unique.Contains(FirstPart(target)))))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static string FirstPart(string path) => path.Split('.', 2)[0];

    private static bool Descends(Place[] places)
    {
        for (var i = 1; i < places.Length; i++)
        {
            if (places[i - 1].Key is { } before && places[i].Key is { } key && DocumentKey.Compare(before, key) > 0)
            {
                return true;
            }
        }

        return false;
    }

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
        bool upsert = false, filter = false, effect = false, multi = false;
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
                multi |= !updates && !field.Truthy;
            }
            else if (updates && field.Is("multi"u8))
            {
                multi = field.Truthy;
            }
            else if (updates && field.Is("upsert"u8))
            {
                upsert = field.Truthy;
            }
            else if (!(updates
                ? field.Is("arrayFilters"u8) || field.Is("hint"u8) || field.Is("sort"u8) || field.Is("c"u8)
                : field.Is("hint"u8) || field.Is("collation"u8)))
            {
                return null;
            }
        }

        // Updates of many are not counted as others are, so they do not share a run.
        return filter && effect ? new Place(updates && multi ? null : key, upsert, multi) : null;
    }

    /// <summary>The positions of a part in the order of the keys; null when they are in order already, or one is missing.</summary>
    private static int[]? Sorted(Place[] places, int first, int count)
    {
        var sorted = true;
        for (var i = first; i < first + count; i++)
        {
            if (places[i].Key is not { } key)
            {
                return null;
            }

            sorted &= i == first || DocumentKey.Compare(places[i - 1].Key!.Value, key) <= 0;
        }

        // The sort is stable: statements of one document stay in their order.
        return sorted
            ? null
            : [.. Enumerable.Range(first, count).OrderBy(i => places[i].Key!.Value, Comparer<RawElement>.Create((x, y) => DocumentKey.Compare(x, y)))];
    }

    private readonly record struct Place(RawElement? Key, bool IsUpsert, bool IsMulti);
}
