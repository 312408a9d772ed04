using MongoDB.Bson;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Structure;

/// <summary>One difference between the catalogue and a database.</summary>
/// <param name="Kind">What has to be done.</param>
/// <param name="Collection">Where.</param>
/// <param name="Name">The index, for changes of an index, or the option, for changes of one; else null.</param>
/// <param name="Detail">More about it, for people; null when there is nothing to say.</param>
/// <param name="Index">The difference of an index; null for other changes.</param>
public sealed record StructureChange(StructureChangeKind Kind, string Collection, string? Name = null, string? Detail = null, IndexChange? Index = null)
{
    /// <summary>The commands that change an option, in order; empty for other changes.</summary>
    public IReadOnlyList<BsonDocument> Commands { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        StructureChangeKind.CreateCollection => $"create collection {Collection}",
        StructureChangeKind.SetValidator => $"set the validator of {Collection} (its {Detail})",
        StructureChangeKind.SetOption => $"change {Collection} (its {Detail})",
        StructureChangeKind.Impossible => $"{Collection} cannot be made as declared: its {Detail}",
        StructureChangeKind.CreateIndex => $"create index {Collection}.{Name}",
        StructureChangeKind.ReplaceIndex => $"replace index {Collection}.{Name} (its {Detail} differs)",
        StructureChangeKind.AdjustIndex => $"change index {Collection}.{Name} (its {Detail} differs)",
        StructureChangeKind.RenameIndex => $"rename index {Collection}.{Name} (it is called {Detail})",
        StructureChangeKind.DropInterimIndex => $"drop index {Collection}.{Name} (it only stood in for another)",
        _ => $"{Kind} {Collection}.{Name}",
    };
}
