using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Structure;

/// <summary>From the structure of one version of the database to that of another, the next or the one before.</summary>
/// <param name="From">What the version that is left declares.</param>
/// <param name="To">What the version that is gone to declares.</param>
public sealed record StructureMove(IReadOnlyList<CollectionDefinition> From, IReadOnlyList<CollectionDefinition> To)
{
    /// <summary>Each collection of the version that is left, with what becomes of it; null when the other version does not have it.</summary>
    public IEnumerable<(CollectionDefinition From, CollectionDefinition? To)> Pairs() =>
        From.Select(definition => (definition, To.FirstOrDefault(other => other.Name == definition.Name)));

    /// <summary>Whether there is anything that only the version that is left declares, on whichever server.</summary>
    public bool Removes => Pairs().Any(pair => pair.To is null
        || Enum.GetValues<ServerKind>().Any(server => Names(pair.From, server).Except(Names(pair.To, server)).Any()));

    /// <summary>
    /// The indexes of a collection that only the version that is left declares, as the server lists them. One of the name with other keys or options is
    /// somebody else's.
    /// </summary>
    /// <param name="definition">The collection as it was.</param>
    /// <param name="wanted">The collection as it is to be; null when only the bookkeeping of programs stays.</param>
    /// <param name="there">What the server has.</param>
    internal static IEnumerable<BsonDocument> Outdated(CollectionDefinition definition, CollectionDefinition? wanted, CollectionState there)
    {
        var stay = (wanted?.IndexesFor(there.Server, there.IsTimeSeries) ?? []).Select(index => index.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var index in definition.IndexesFor(there.Server, there.IsTimeSeries).Where(index => !stay.Contains(index.Name)))
        {
            foreach (var listed in there.Indexes)
            {
                var name = listed["name"].AsString;
                if ((name == index.Name && IsAsDeclared(index, listed))
                    || (name == index.InterimName && !stay.Contains(name)))
                {
                    yield return listed;
                }
            }
        }
    }

    /// <summary>Whether what a database has in the place of an index is what the version that is left declares.</summary>
    /// <param name="change">The difference of an index; null for none.</param>
    internal bool Declared(IndexChange? change) => change?.Existing is { } existing
        && From.FirstOrDefault(definition => definition.Name == change.Collection) is { } before
        && Enum.GetValues<ServerKind>().SelectMany(server => before.IndexesFor(server, isTimeSeries: false))
            .Any(index => index.Name == change.ExistingName && IsAsDeclared(index, existing));

    private static bool IsAsDeclared(IndexDefinition index, BsonDocument listed) => index.DifferencesFrom(listed).All(difference => difference == "hidden");

    private static IEnumerable<string> Names(CollectionDefinition definition, ServerKind server) =>
        definition.IndexesFor(server, isTimeSeries: false).Select(index => index.Name);
}
