using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Indexes;

/// <summary>One difference between the catalogue's indexes and a database's.</summary>
/// <param name="Kind">What kind of difference.</param>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index's name.</param>
/// <param name="Differences">The options that differ; empty unless the index is changed or adjusted, or renamed and hidden or with another expiry.</param>
/// <param name="Definition">What the catalogue declares; null for an unknown index.</param>
/// <param name="Existing">What the database has; null for a missing index.</param>
public sealed record IndexChange(
    IndexChangeKind Kind, string Collection, string Index, IReadOnlyList<string> Differences, IndexDefinition? Definition, BsonDocument? Existing)
{
    /// <summary>The options that differ, for people; null when none does.</summary>
    public string? Difference => Differences.Count == 0 ? null : string.Join(" and ", Differences);

    /// <summary>The name that the database has for the index.</summary>
    public string ExistingName => Existing?["name"].AsString ?? Index;

    /// <summary>Whether queries or a rule have to do without the index for as long as it is built, so that somebody has to allow it.</summary>
    public bool NeedsPermission => Kind == IndexChangeKind.Changed || (Kind == IndexChangeKind.Renamed && Definition!.Interim() is null);

    /// <summary>Whether queries no longer see the index.</summary>
    public bool IsHidden => Existing?.GetValue("hidden", false).ToBoolean() == true;

    /// <summary>The collection and the index in one word.</summary>
    public string Name => $"{Collection}.{Index}";
}
