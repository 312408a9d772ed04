namespace Platform.Migrator.Execution;

/// <summary>Gives a migration its number and name; its file is called <c>Migrations/NNNN_name.cs</c>.</summary>
/// <param name="id">The number; migrations run in this order, and 1 is the first.</param>
/// <param name="name">The name, in lower case with underscores.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class MigrationAttribute(int id, string name) : Attribute
{
    /// <summary>The number.</summary>
    public int Id { get; } = id;

    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// The checksums of earlier sources of the migration, for one whose source had to be written anew and still does the same: a database
    /// that recorded one of them is not told that the migration was changed. Default: none.
    /// </summary>
    public string[] Replaces { get; init; } = [];
}
