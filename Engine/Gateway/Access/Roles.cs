using MongoDB.Bson;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Access;

/// <summary>
/// The two sets of rights that the backend has: reading everything, or everything. A role is taken only when its meaning is one of these;
/// rights on single databases are refused, because the backend could not hold anyone to them.
/// </summary>
internal static class Roles
{
    /// <summary>Reading every database.</summary>
    public const string Read = "readAnyDatabase";

    /// <summary>Writing every database; always together with <see cref="Administer"/>.</summary>
    public const string Write = "readWriteAnyDatabase";

    /// <summary>Administering the server.</summary>
    public const string Administer = "clusterAdmin";

    /// <summary>The server's name for all rights; the same as the pair of the two above.</summary>
    public const string Root = "root";

    /// <summary>
    /// Whether a list of roles means all rights (true) or reading (false). Throws <see cref="CommandException"/> for any other list.
    /// </summary>
    public static bool MeanAll(BsonValue roles)
    {
        if (roles is not BsonArray { Count: > 0 } list)
        {
            throw new CommandException(ErrorCode.BadValue, $"A user needs roles: {Choice}");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var role in list)
        {
            var (name, database) = role switch
            {
                BsonString text => (text.Value, "admin"),
                BsonDocument document => (document.GetValue("role", "").ToString() ?? "", document.GetValue("db", "admin").ToString() ?? ""),
                _ => throw new CommandException(ErrorCode.BadValue, "A role is a name or a document {role, db}"),
            };
            if (database != "admin" || name is not (Read or Write or Administer or Root))
            {
                throw new CommandException(ErrorCode.RoleNotFound, $"Role {name}@{database} is not supported: {Choice}");
            }

            names.Add(name);
        }

        return names.Contains(Root) || (names.Contains(Write) && names.Contains(Administer)) ? true
            : names.Count == 1 && names.Contains(Read) ? false
            : throw new CommandException(ErrorCode.RoleNotFound, $"The roles {string.Join(", ", names)} are not supported together: {Choice}");
    }

    /// <summary>The roles as the backend wants and shows them.</summary>
    public static BsonArray Of(bool all) => new((all ? [Write, Administer] : (string[])[Read])
        .Select(name => new BsonDocument { { "role", name }, { "db", "admin" } }));

    private static string Choice =>
        $"choose {Read}, or {Write} together with {Administer} (or {Root}, which is the same); rights on single databases do not exist here.";
}
