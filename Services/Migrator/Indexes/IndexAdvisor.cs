using System.Globalization;
using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Indexes;

/// <summary>Finds indexes that are missing, redundant or unused. Works on data alone.</summary>
/// <param name="catalogue">What is declared.</param>
/// <param name="now">The present moment (UTC).</param>
/// <param name="unusedFor">For how long an index must have gone unused to be called so.</param>
internal sealed class IndexAdvisor(IReadOnlyList<CollectionDefinition> catalogue, DateTime now, TimeSpan unusedFor)
{
    // https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Number-of-Indexes-per-Collection
    private const int MostIndexes = 64;
    private const int ManyIndexes = 48;

    /// <summary>All advice: what slow queries lack first, the costliest at the top.</summary>
    /// <param name="database">The indexes with their use.</param>
    /// <param name="queries">The slow queries.</param>
    public IReadOnlyList<IndexAdvice> Advise(IReadOnlyDictionary<string, CollectionState> database, IReadOnlyList<SlowQuery> queries) =>
    [
        .. Missing(database, queries),
        .. database.Values.Where(IsOurs).SelectMany(Redundant),
        .. database.Values.Where(IsOurs).SelectMany(Unused),
        .. database.Values.Where(IsOurs).Where(state => state.Indexes.Count >= ManyIndexes).Select(state => new IndexAdvice(
            IndexAdviceKind.Crowded,
            state.Name,
            null,
            string.Create(CultureInfo.InvariantCulture, $"it has {state.Indexes.Count} of at most {MostIndexes} indexes"),
            "drop what is unused or redundant before another one is needed")),
    ];

    /// <summary>Whether the index after is enough for all that the index before is used for.</summary>
    /// <param name="before">The shorter index, as <c>listIndexes</c> reports it.</param>
    /// <param name="after">The longer one, or one with the same keys.</param>
    public static bool Replaces(BsonDocument before, BsonDocument after)
    {
        // One that keeps a rule, lets documents expire, or is of another kind does more than to answer queries.
        if (Flag(before, "unique") || before.Contains("expireAfterSeconds") || !IsPlain(before) || !IsPlain(after) || Flag(after, "hidden"))
        {
            return false;
        }

        // It must know the same documents, in the same order of strings.
        if (before.GetValue("partialFilterExpression", BsonNull.Value) != after.GetValue("partialFilterExpression", BsonNull.Value)
            || before.GetValue("collation", BsonNull.Value) != after.GetValue("collation", BsonNull.Value)
            || (Flag(after, "sparse") && !Flag(before, "sparse")))
        {
            return false;
        }

        var shorter = before["key"].AsBsonDocument;
        var longer = after["key"].AsBsonDocument;
        if (shorter.ElementCount > longer.ElementCount || !shorter.Names.SequenceEqual(longer.Names.Take(shorter.ElementCount)))
        {
            return false;
        }

        // Read backwards, an index gives all of its directions the other way round.
        return shorter.Zip(longer).Select(pair => Math.Sign(pair.First.Value.ToDouble()) * Math.Sign(pair.Second.Value.ToDouble())).Distinct().Count() == 1;
    }

    private bool IsOurs(CollectionState state) => Definition(state.Name) is not null;

    private CollectionDefinition? Definition(string collection) => catalogue.FirstOrDefault(definition => definition.Name == collection);

    private IndexDefinition? Declared(CollectionState state, string index) =>
        Definition(state.Name)?.IndexesFor(state.Server, isTimeSeries: false).FirstOrDefault(declared => declared.Name == index);

    private IEnumerable<IndexAdvice> Missing(IReadOnlyDictionary<string, CollectionState> database, IReadOnlyList<SlowQuery> queries)
    {
        return queries
            .SelectMany(query => query.Patterns.Select(pattern => (Pattern: pattern, Query: query)))
            .Where(asked => !asked.Pattern.NeedsSpecialIndex && IsOurs(asked.Pattern.Collection)
                && !asked.Pattern.Equality.Contains("_id") && !Built(asked.Pattern).Any(asked.Pattern.IsServedBy))
            .GroupBy(asked => asked.Pattern.Text, StringComparer.Ordinal)
            .Select(group => (
                group.First().Pattern,
                // Those that the server did not count are taken to be like those that it did.
                Queries: group.Select(asked => asked.Query).Where(query => query.IsWasteful || query.Examined is null).ToList()))
            .Where(group => group.Queries.Exists(query => query.IsWasteful))
            .OrderByDescending(group => group.Queries.Sum(query => query.Milliseconds))
            .Select(group => Missing(group.Pattern, group.Queries, database.GetValueOrDefault(group.Pattern.Collection)))
            .OfType<IndexAdvice>();

        IReadOnlyList<BsonDocument> Built(QueryPattern pattern) => database.GetValueOrDefault(pattern.Collection)?.Indexes ?? [];
    }

    private IndexAdvice? Missing(QueryPattern pattern, List<SlowQuery> queries, CollectionState? state)
    {
        var definition = Definition(pattern.Collection)!;
        var declared = definition.IndexesFor(state?.Server ?? ServerKind.MongoDb, isTimeSeries: false);
        var built = state?.Indexes ?? [];
        var unscoped = definition.IsTenantOwned && !pattern.NamesTenant;
        var asked = unscoped ? pattern.OfTenant() : pattern;
        if (unscoped && built.FirstOrDefault(asked.IsServedBy) is { } serving)
        {
            return Advice(IndexAdviceKind.Unscoped, serving["name"].AsString, $"let the query name its tenant: {serving["name"]} then serves it");
        }

        if (declared.FirstOrDefault(index => asked.IsServedBy(index.Specification())) is { } notBuilt)
        {
            return Advice(IndexAdviceKind.NotBuilt, notBuilt.Name, "migrator indexes apply");
        }

        if (declared.FirstOrDefault(index => index.PartialFilter?.All(element => asked.Values.GetValue(element.Name, BsonNull.Value) == element.Value) != false
            && index.Queries.Any(query => IsAsked(query, definition, asked))) is { } partly)
        {
            // The catalogue says of this query why it reads more than it returns.
            return built.Any(index => index["name"] == partly.Name && !Flag(index, "hidden"))
                ? null
                : Advice(IndexAdviceKind.NotBuilt, partly.Name, "migrator indexes apply");
        }

        return Advice(
            IndexAdviceKind.Missing,
            null,
            $"{(unscoped ? "let the query name its tenant, and " : "")}declare the index {asked.WantedKeys().ToJson()} in the catalogue, with this query");

        IndexAdvice Advice(IndexAdviceKind kind, string? index, string suggestion) => new(
            kind, pattern.Collection, index, Reason(pattern, queries, unscoped), suggestion, queries.Count, queries.Sum(query => query.Milliseconds));
    }

    private static bool IsAsked(QueryShape query, CollectionDefinition definition, QueryPattern asked) =>
        QueryPatterns.Of(definition.Name, query.Example(definition.DocumentType)).Any(known => known.Text == asked.Text);

    private static string Reason(QueryPattern pattern, List<SlowQuery> queries, bool unscoped)
    {
        var worst = queries.Where(query => query.IsWasteful).MaxBy(query => query.Examined ?? -1)!;
        var how = worst.ReadsAll ? "read the whole collection" : worst.Sorted ? "sorted in memory" : "read much for little";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{queries.Count} slow {(queries.Count == 1 ? "query" : "queries")} ({pattern.Text}) {how}"
                + $"{(worst.Examined is { } examined ? $", up to {examined} documents for {worst.Returned}" : "")}"
                + $"{(unscoped ? ", and no tenant is named" : "")}; {queries.Sum(query => query.Milliseconds):0} ms in all");
    }

    private bool IsOurs(string collection) => Definition(collection) is not null;

    private IEnumerable<IndexAdvice> Redundant(CollectionState state)
    {
        foreach (var before in state.Indexes.Where(index => index["name"] != IndexPlanner.PrimaryKey))
        {
            var name = before["name"].AsString;
            var after = state.Indexes.FirstOrDefault(other =>
                other["name"] != name && Replaces(before, other) && !(Replaces(other, before) && IsTheOneToKeep(state, before, other)));
            if (after is not null)
            {
                yield return new IndexAdvice(
                    IndexAdviceKind.Redundant,
                    state.Name,
                    name,
                    $"{after["name"]} {after["key"].ToJson()} begins with its keys {before["key"].ToJson()}, so that it answers the same queries",
                    Declared(state, name) is null
                        ? "migrator indexes apply --allow-drop hides it, and drops it at a later run"
                        : "take it out of the catalogue");
            }
        }
    }

    // Of two that are alike the declared one stays, else the one that comes first by name.
    private bool IsTheOneToKeep(CollectionState state, BsonDocument index, BsonDocument other)
    {
        var (mine, others) = (Declared(state, index["name"].AsString) is not null, Declared(state, other["name"].AsString) is not null);
        return mine == others ? string.CompareOrdinal(index["name"].AsString, other["name"].AsString) < 0 : mine;
    }

    private IEnumerable<IndexAdvice> Unused(CollectionState state)
    {
        foreach (var index in state.Indexes)
        {
            var name = index["name"].AsString;
            // A rule is kept and documents expire without any query.
            if (name == IndexPlanner.PrimaryKey || Flag(index, "unique") || index.Contains("expireAfterSeconds") || Flag(index, "hidden")
                || !state.Usage.TryGetValue(name, out var usage) || usage.Operations > 0 || now - usage.Since < unusedFor)
            {
                continue;
            }

            var reason = string.Create(CultureInfo.InvariantCulture, $"no query has used it since {usage.Since:yyyy-MM-dd HH:mm} UTC");
            yield return Declared(state, name) is { } declared
                ? new IndexAdvice(
                    IndexAdviceKind.Unused,
                    state.Name,
                    name,
                    reason,
                    declared.Queries.Count == 0
                        ? "take it out of the catalogue"
                        : $"see whether anyone still asks for {string.Join("; ", declared.Queries.Select(query => $"'{query.Name}'"))}; if not, take it out "
                            + $"of the catalogue")
                : new IndexAdvice(
                    IndexAdviceKind.Unused, state.Name, name, reason, "migrator indexes apply --allow-drop hides it, and drops it at a later run");
        }
    }

    private static bool IsPlain(BsonDocument index) => index["key"].AsBsonDocument.All(key => key.Value.IsNumeric);

    private static bool Flag(BsonDocument index, string option) => index.GetValue(option, false).ToBoolean();
}

/// <summary>One piece of advice.</summary>
/// <param name="Kind">What is advised.</param>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index; null when it is one that should be made.</param>
/// <param name="Reason">Why, in one sentence.</param>
/// <param name="Suggestion">What to do, in one sentence or as a command.</param>
/// <param name="Queries">How many slow queries speak for it.</param>
/// <param name="Milliseconds">How long they took together.</param>
internal sealed record IndexAdvice(
    IndexAdviceKind Kind, string Collection, string? Index, string Reason, string Suggestion, int Queries = 0, double Milliseconds = 0);
