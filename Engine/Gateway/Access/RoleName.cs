using MongoDB.Bson;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Access;

/// <summary>A role by its name and database.</summary>
internal readonly record struct RoleName(string Role, string Database)
{
    /// <summary>Reads a list of roles; throws <see cref="CommandException"/> when it is none.</summary>
    /// <param name="roles">Names, and documents <c>{role, db}</c>.</param>
    /// <param name="database">The database of those that are named without one: that of the command.</param>
    public static List<RoleName> ParseAll(BsonValue roles, string database) => roles is BsonArray list
        ? [.. list.Select(role => Parse(role, database)).Distinct()]
        : throw new CommandException(ErrorCode.TypeMismatch, "roles must be an array of names and of documents {role, db}.");

    /// <summary>Reads one role; throws <see cref="CommandException"/> when it is none.</summary>
    public static RoleName Parse(BsonValue role, string database) => role switch
    {
        BsonString name => new RoleName(name.Value, database),
        BsonDocument { ElementCount: 2 } document when document.TryGetValue("role", out var name) && name is BsonString text
            && document.TryGetValue("db", out var db) && db is BsonString where => new RoleName(text.Value, where.Value),
        _ => throw new CommandException(ErrorCode.BadValue, "A role is a name or a document {role, db} of two strings."),
    };

    /// <summary>The role as replies show it.</summary>
    public BsonDocument ToDocument() => new() { { "role", Role }, { "db", Database } };

    /// <inheritdoc />
    public override string ToString() => $"{Role}@{Database}";
}
