using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Indexes;

/// <summary>One difference between the catalogue's indexes and a database's.</summary>
/// <param name="Kind">What kind of difference.</param>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index's name.</param>
/// <param name="Difference">The option that differs; null unless the index is changed or adjusted.</param>
/// <param name="Definition">What the catalogue declares; null for an unknown index.</param>
/// <param name="Existing">What the database has; null for a missing index.</param>
public sealed record IndexChange(
    IndexChangeKind Kind, string Collection, string Index, string? Difference, IndexDefinition? Definition, BsonDocument? Existing)
{
    /// <summary>Whether queries no longer see the index.</summary>
    public bool IsHidden => Existing?.GetValue("hidden", false).ToBoolean() == true;

    /// <summary>The collection and the index in one word.</summary>
    public string Name => $"{Collection}.{Index}";
}
