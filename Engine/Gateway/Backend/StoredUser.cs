using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Wire.Bson;

namespace Platform.Gateway.Backend;

/// <summary>A user as the backend knows one, with what the gateway keeps beside: a user of whom nothing is kept has no rights.</summary>
/// <param name="Name">The name, which no two users have, whatever their databases are.</param>
internal sealed record StoredUser(string Name)
{
    /// <summary>The field of the addresses that a user may come from.</summary>
    public const string RestrictionsField = "authenticationRestrictions";

    private const string CustomDataField = "customData";

    /// <summary>The backend's number, which is never given again.</summary>
    public long Number { get; init; }

    /// <summary>Whether the backend lets the user write anywhere: the second fence, behind the rights.</summary>
    public bool MayWrite { get; init; }

    /// <summary>The database that the user belongs to.</summary>
    public string Database { get; init; } = "admin";

    /// <summary>The user's id.</summary>
    public Guid Id { get; init; } = Guid.NewGuid();

    /// <summary>The roles that the user was given.</summary>
    public IReadOnlyList<RoleName> Roles { get; init; } = [];

    /// <summary>Data that the server keeps for applications; null without.</summary>
    public BsonDocument? CustomData { get; init; }

    /// <summary>From where the user may log in; null for everywhere.</summary>
    public BsonArray? Restrictions { get; init; }

    /// <summary>All users.</summary>
    public static async ValueTask<List<StoredUser>> AllAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        await using var reader = await connection.Command(Statements.Users).ReadAsync(cancellationToken);
        return await ReadAsync(reader, cancellationToken);
    }

    /// <summary>The user of a name; null when there is none.</summary>
    public static async ValueTask<StoredUser?> FindAsync(BackendConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var reader = await connection.Command(Statements.OneUser).With(0, name).ReadAsync(cancellationToken);
        return (await ReadAsync(reader, cancellationToken)).SingleOrDefault();
    }

    /// <summary>The roles that there are.</summary>
    public static async ValueTask<RoleGraph> RolesAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var roles = new Dictionary<RoleName, RoleDefinition>();
        await using var reader = await connection.Command(Statements.Roles).ReadAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var name = new RoleName(reader.GetString(0), reader.GetString(1));
            roles.Add(name, RoleDefinition.Of(name, new RawDocument(reader.GetFieldValue<byte[]>(2)).ToTree()));
        }

        return new RoleGraph(roles);
    }

    /// <summary>Keeps what the gateway keeps of the user.</summary>
    public ValueTask SaveAsync(BackendConnection connection, CancellationToken cancellationToken) =>
        connection.Command(Statements.SetUserOptions).With(0, Name).With<ReadOnlyMemory<byte>>(1, ToOptions().ToBson()).RunAsync(cancellationToken);

    /// <summary>Who is logged in as this user.</summary>
    public User ToUser(RoleGraph roles) => new(Name, Database, Roles, roles.RightsOf(Roles), Number);

    /// <summary>The user as <c>usersInfo</c> shows one.</summary>
    public BsonDocument ToDocument() => new()
    {
        { "_id", $"{Database}.{Name}" },
        { "userId", new BsonBinaryData(Id, GuidRepresentation.Standard) },
        { "user", Name },
        { "db", Database },
        { CustomDataField, CustomData, CustomData is not null },
        { "roles", new BsonArray(Roles.Select(role => role.ToDocument())) },
    };

    private static async ValueTask<List<StoredUser>> ReadAsync(BackendReader reader, CancellationToken cancellationToken)
    {
        var users = new List<StoredUser>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var number = reader.GetInt64(1);
            var user = new StoredUser(reader.GetString(0)) { Number = number, MayWrite = reader.GetBoolean(2), Id = new Guid((int)number, 0, 0, new byte[8]) };
            users.Add(reader.IsDBNull(3) ? user : user.With(new RawDocument(reader.GetFieldValue<byte[]>(3)).ToTree()));
        }

        return users;
    }

    private StoredUser With(BsonDocument options) => this with
    {
        Database = options.GetValue("db", "admin").AsString,
        Id = options.TryGetValue("userId", out var id) ? id.AsBsonBinaryData.ToGuid(GuidRepresentation.Standard) : Id,
        Roles = RoleName.ParseAll(options.GetValue("roles", new BsonArray()), "admin"),
        CustomData = options.GetValue(CustomDataField, BsonNull.Value) as BsonDocument,
        Restrictions = options.GetValue(RestrictionsField, BsonNull.Value) as BsonArray,
    };

    private BsonDocument ToOptions() => new()
    {
        { "db", Database },
        { "userId", new BsonBinaryData(Id, GuidRepresentation.Standard) },
        { "roles", new BsonArray(Roles.Select(role => role.ToDocument())) },
        { CustomDataField, CustomData, CustomData is not null },
        { RestrictionsField, Restrictions, Restrictions is not null },
    };
}
