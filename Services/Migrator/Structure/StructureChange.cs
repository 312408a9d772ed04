namespace Platform.Migrator.Structure;

/// <summary>One difference between the catalogue and a database.</summary>
/// <param name="Kind">What has to be done.</param>
/// <param name="Collection">Where.</param>
/// <param name="Name">The index, for changes of an index; else null.</param>
/// <param name="Detail">More about it, for people; null when there is nothing to say.</param>
public sealed record StructureChange(StructureChangeKind Kind, string Collection, string? Name = null, string? Detail = null)
{
    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        StructureChangeKind.CreateCollection => $"create collection {Collection}",
        StructureChangeKind.SetValidator => $"set the validator of {Collection} (its {Detail})",
        StructureChangeKind.CreateIndex => $"create index {Collection}.{Name}",
        StructureChangeKind.ReplaceIndex => $"replace index {Collection}.{Name} (its {Detail} differs)",
        StructureChangeKind.AdjustIndex => $"change index {Collection}.{Name} (its {Detail} differs)",
        _ => $"{Kind} {Collection}.{Name}",
    };
}
