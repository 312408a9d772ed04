using MongoDB.Bson;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Access;

/// <summary>Actions that are allowed on a resource.</summary>
internal readonly record struct Privilege(Resource Resource, ActionSet Actions)
{
    /// <summary>Reads a list of privileges; throws <see cref="CommandException"/> when it is none.</summary>
    public static List<Privilege> ParseAll(BsonValue privileges) => privileges is BsonArray list
        ? Merge(list.Select(Parse))
        : throw new CommandException(ErrorCode.TypeMismatch, "privileges must be an array of documents {resource, actions}.");

    /// <summary>One privilege for each resource, in the order of their first appearance.</summary>
    public static List<Privilege> Merge(IEnumerable<Privilege> privileges)
    {
        var places = new Dictionary<Resource, int>();
        var merged = new List<Privilege>();
        foreach (var privilege in privileges)
        {
            if (places.TryGetValue(privilege.Resource, out var place))
            {
                merged[place] = privilege with { Actions = merged[place].Actions | privilege.Actions };
            }
            else
            {
                places.Add(privilege.Resource, merged.Count);
                merged.Add(privilege);
            }
        }

        return merged;
    }

    /// <summary>The privilege as replies show it.</summary>
    public BsonDocument ToDocument() => new() { { "resource", Resource.ToDocument() }, { "actions", new BsonArray(Actions.Names) } };

    private static Privilege Parse(BsonValue value)
    {
        if (value is not BsonDocument document || !document.TryGetValue("actions", out var given) || given is not BsonArray { Count: > 0 } names)
        {
            throw new CommandException(ErrorCode.BadValue, "A privilege is a document {resource, actions} with one action at least.");
        }

        var actions = default(ActionSet);
        foreach (var name in names)
        {
            actions |= (name is BsonString text ? ActionSet.OfName(text.Value) : null)
                ?? throw new CommandException(ErrorCode.BadValue, $"Unrecognized action privilege string: {name}");
        }

        return new Privilege(Resource.Parse(document.GetValue("resource", BsonNull.Value)), actions);
    }
}
