namespace Platform.Data.Access;

/// <summary>A program that reaches the database as a user of its own.</summary>
public sealed record Principal
{
    /// <summary>The name, which is that of the resource in the app graph.</summary>
    public required string Name { get; init; }

    /// <summary>What it does in the database, in a sentence.</summary>
    public required string Purpose { get; init; }

    /// <summary>MongoDB's built-in roles on the platform's database that it has. Default: none.</summary>
    public IReadOnlyList<string> DatabaseRoles { get; init; } = [];

    /// <summary>MongoDB's built-in roles on <c>admin</c> that it has. Default: none.</summary>
    public IReadOnlyList<string> ClusterRoles { get; init; } = [];

    /// <summary>What it may do beside; together a role of the user's name. Default: nothing.</summary>
    public IReadOnlyList<Grant> Grants { get; init; } = [];

    /// <summary>The name of the user, and of the role of its own: one for each database, so that several platforms may share a server.</summary>
    /// <param name="database">The platform's database.</param>
    public string UserOf(string database) => MongoNames.UserOf(database, Name);
}
