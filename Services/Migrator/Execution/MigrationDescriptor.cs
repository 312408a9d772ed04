using Platform.Data.Catalogue;

namespace Platform.Migrator.Execution;

/// <summary>A migration that this program knows.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="Checksum">A SHA-256 over its source, as 64 hexadecimal digits.</param>
/// <param name="Migration">What it does.</param>
public sealed record MigrationDescriptor(int Id, string Name, string Checksum, Migration Migration)
{
    /// <summary>Number and name as in the file's name, such as <c>0001_create_collections</c>.</summary>
    public string FullName => FormattableString.Invariant($"{Id:0000}_{Name}");

    /// <summary>The checksums of earlier sources that did the same. Default: none.</summary>
    public IReadOnlyList<string> Replaces { get; init; } = [];

    /// <summary>What the database's structure is from this migration on; null when it is what it was before.</summary>
    public IReadOnlyList<CollectionDefinition>? Structure { get; init; }

    /// <summary>A SHA-256 over the text of <see cref="Structure"/>, as 64 hexadecimal digits; null when there is none.</summary>
    public string? StructureChecksum { get; init; }

    /// <summary>Whether a checksum is one of this migration: of its source, or of an earlier one that did the same.</summary>
    /// <param name="checksum">A checksum that a database recorded.</param>
    public bool Was(string checksum) => checksum == Checksum || Replaces.Contains(checksum, StringComparer.Ordinal);
}
