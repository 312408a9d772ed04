using MongoDB.Bson;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Access;

/// <summary>What a privilege is for (https://www.mongodb.com/docs/v7.0/reference/resource-document/).</summary>
/// <param name="Kind">Whether it is collections, the cluster, or everything.</param>
/// <param name="Database">Of collections: their database; empty for all of them.</param>
/// <param name="Collection">Of collections: its name; empty for all that are not the system's.</param>
internal readonly record struct Resource(ResourceKind Kind, string Database, string Collection)
{
    /// <summary>The cluster.</summary>
    public static readonly Resource Cluster = new(ResourceKind.Cluster, "", "");

    /// <summary>Everything there is.</summary>
    public static readonly Resource Any = new(ResourceKind.Any, "", "");

    /// <summary>All collections of all databases, but not the system's, and not those of <c>local</c> and <c>config</c>.</summary>
    public static readonly Resource AllCollections = new(ResourceKind.Collections, "", "");

    /// <summary>The collections of a database, and the database itself.</summary>
    public static Resource Of(string database, string collection = "") => new(ResourceKind.Collections, database, collection);

    /// <summary>The database in which a role must be that has a privilege of this; <c>admin</c> may have any.</summary>
    public string RoleDatabase => Kind == ResourceKind.Collections && Database.Length > 0 ? Database : "admin";

    /// <summary>Reads a resource; throws <see cref="CommandException"/> when it is none.</summary>
    public static Resource Parse(BsonValue value)
    {
        if (value is not BsonDocument document)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "The 'resource' of a privilege must be a document.");
        }

        foreach (var (name, kind) in ((string, ResourceKind)[])[("cluster", ResourceKind.Cluster), ("anyResource", ResourceKind.Any)])
        {
            if (document.TryGetValue(name, out var flag))
            {
                return document.ElementCount == 1 && flag.ToBoolean()
                    ? new Resource(kind, "", "")
                    : throw new CommandException(ErrorCode.BadValue, $"The resource {{{name}: true}} can have no other field and no other value.");
            }
        }

        return document.ElementCount == 2 && document.TryGetValue("db", out var db) && db is BsonString database
            && document.TryGetValue("collection", out var named) && named is BsonString collection
            ? new Resource(ResourceKind.Collections, database.Value, collection.Value)
            : throw new CommandException(
                ErrorCode.BadValue, "A resource is {db, collection} with two strings, {cluster: true} or {anyResource: true}.");
    }

    /// <summary>The resource as commands name it.</summary>
    public BsonDocument ToDocument() => Kind switch
    {
        ResourceKind.Cluster => new BsonDocument("cluster", true),
        ResourceKind.Any => new BsonDocument("anyResource", true),
        _ => new BsonDocument { { "db", Database }, { "collection", Collection } },
    };
}

/// <summary>The kinds of resources.</summary>
internal enum ResourceKind : byte
{
    /// <summary>One or several collections.</summary>
    Collections,

    /// <summary>What is said of the replica set and its members.</summary>
    Cluster,

    /// <summary>Everything.</summary>
    Any,
}
