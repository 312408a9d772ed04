using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// What a <c>$match</c> says about <c>operationType</c>, <c>ns.db</c> and <c>ns.coll</c>, which are text or missing: so much can be said of a change before
/// it is made an event and given to the backend. What else it says is not known here.
/// </summary>
internal sealed class ChangeFilter
{
    private readonly Func<Change, bool?> _admits;

    private ChangeFilter(Func<Change, bool?> admits) => _admits = admits;

    /// <summary>The filter of a <c>$match</c> stage.</summary>
    public static ChangeFilter Of(RawDocument match) => new(All(match));

    /// <summary>Whether the event of a change matches; null when the backend has to say.</summary>
    public bool? Admits(Change change) => _admits(change);

    private static Func<Change, bool?> All(RawDocument conditions)
    {
        List<Func<Change, bool?>> parts = [];
        foreach (var field in conditions)
        {
            parts.Add(One(field));
        }

        return change =>
        {
            bool? result = true;
            foreach (var part in parts)
            {
                var one = part(change);
                if (one is false)
                {
                    return false;
                }

                result &= one;
            }

            return result;
        };
    }

    private static Func<Change, bool?> One(in RawElement field)
    {
        switch (field.NameText)
        {
            case "$and" or "$or" when field.Type == BsonType.Array:
                List<Func<Change, bool?>> parts = [];
                foreach (var part in field.Document)
                {
                    parts.Add(part.Type == BsonType.Document ? All(part.Document) : Unknown);
                }

                return field.Is("$and"u8)
                    ? change => parts.Aggregate((bool?)true, (result, part) => result & part(change))
                    : change => parts.Aggregate((bool?)false, (result, part) => result | part(change));
            case "operationType":
                return Text(field, static change => ChangeEvent.Name(change.Kind));
            case "ns.db":
                return Text(field, static change => change.Collection.Database);
            case "ns.coll":
                return Text(field, static change => change.Kind == ChangeKind.DropDatabase ? null : change.Collection.Name);
            default:
                return Unknown;
        }
    }

    private static Func<Change, bool?> Text(in RawElement condition, Func<Change, string?> value)
    {
        if (condition.Text is { } text)
        {
            return change => value(change) == text;
        }

        if (condition.Type != BsonType.Document || condition.Document.Count() != 1)
        {
            return Unknown;
        }

        var only = condition.Document.First;
        if ((only.Is("$eq"u8) || only.Is("$ne"u8)) && only.Text is { } other)
        {
            var equal = only.Is("$eq"u8);
            return change => value(change) == other == equal;
        }

        if (!only.Is("$in"u8) || only.Type != BsonType.Array)
        {
            return Unknown;
        }

        var all = new HashSet<string>(StringComparer.Ordinal);
        foreach (var element in only.Document)
        {
            if (element.Text is not { } one)
            {
                return Unknown;
            }

            all.Add(one);
        }

        return change => value(change) is { } found && all.Contains(found);
    }

    private static bool? Unknown(Change change) => null;
}
