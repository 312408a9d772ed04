using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Structure;

/// <summary>
/// Compares the options of a collection with those that the catalogue declares, and says which command changes what differs, or that none does.
/// Validators are another matter: the documents that are there have a say in them.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/command/collMod/"/></remarks>
internal static class OptionPlanner
{
    private const string Kind = "type";
    private const string BucketSpan = "timeseries.bucketMaxSpanSeconds";
    private static readonly string[] s_buckets = ["timeseries.granularity", BucketSpan, "timeseries.bucketRoundingSeconds"];

    /// <summary>Whether the collection is a plain one because its server took no time series: then the migrator has given it an index to expire by.</summary>
    /// <param name="definition">What is declared.</param>
    /// <param name="state">What is there.</param>
    public static bool IsStandIn(CollectionDefinition definition, CollectionState state) =>
        definition.TimeSeries is not null && state is { IsTimeSeries: false, IsView: false }
        && state.Indexes.Any(index => index["name"] == TimeSeriesDefinition.ExpiryIndex);

    /// <summary>All differences of one collection. When it is of another kind, that is the only one.</summary>
    /// <param name="definition">What is declared.</param>
    /// <param name="state">What is there.</param>
    public static IReadOnlyList<StructureChange> Compare(CollectionDefinition definition, CollectionState state)
    {
        var differences = definition.DifferencesFrom(state.Listed, IsStandIn(definition, state)).ToDictionary(difference => difference.Option);
        foreach (var decisive in (ReadOnlySpan<string>)[Kind, "capped"])
        {
            if (differences.TryGetValue(decisive, out var difference))
            {
                // What it brings with it differs, too.
                return [Cannot(definition, difference)];
            }
        }

        var changes = new List<StructureChange>();
        if (Buckets(definition, differences) is { } buckets)
        {
            changes.Add(buckets);
        }

        foreach (var option in s_buckets)
        {
            differences.Remove(option);
        }

        changes.AddRange(differences.Values.Select(difference => Options(definition, difference) is { } options
            ? Change(definition, difference, [Modify(definition, options)])
            : Cannot(definition, difference)));
        return changes;
    }

    /// <summary>What <c>collMod</c> takes to change an option; null when it takes nothing.</summary>
    private static BsonDocument? Options(CollectionDefinition definition, OptionDifference difference) => difference.Option switch
    {
        "expireAfterSeconds" => new BsonDocument("expireAfterSeconds", difference.Declared.IsBsonNull ? "off" : difference.Declared),
        "changeStreamPreAndPostImages" => new BsonDocument("changeStreamPreAndPostImages", new BsonDocument("enabled", definition.KeepsImages)),
        "size" => new BsonDocument("cappedSize", definition.Capped!.Bytes),
        "max" => new BsonDocument("cappedMax", definition.Capped!.Documents ?? 0),
        "viewOn" or "pipeline" => new BsonDocument { { "viewOn", definition.View!.On }, { "pipeline", new BsonArray(definition.View.Pipeline) } },
        _ => null,
    };

    // Buckets that are there keep their span, so that it can only grow, from each granularity to the next.
    private static StructureChange? Buckets(CollectionDefinition definition, Dictionary<string, OptionDifference> differences)
    {
        var difference = s_buckets.Select(differences.GetValueOrDefault).FirstOrDefault(found => found is not null);
        if (difference is null)
        {
            return null;
        }

        var wanted = definition.TimeSeries!.Granularity;
        var (existing, declared) = differences.TryGetValue(BucketSpan, out var spans)
            ? (spans.Existing.IsNumeric ? spans.Existing.ToInt64() : 0, spans.Declared.ToInt64())
            : (TimeSeriesDefinition.BucketSpan(wanted), TimeSeriesDefinition.BucketSpan(wanted));
        if (existing > declared)
        {
            return Cannot(definition, difference);
        }

        string[] steps = existing < TimeSeriesDefinition.BucketSpan("minutes") && wanted == "hours" ? ["minutes", wanted] : [wanted];
        return Change(
            definition,
            difference,
            [.. steps.Select(step => Modify(definition, new BsonDocument("timeseries", new BsonDocument("granularity", step))))]);
    }

    private static BsonDocument Modify(CollectionDefinition definition, BsonDocument options) =>
        new BsonDocument("collMod", definition.Name).Merge(options);

    private static StructureChange Change(CollectionDefinition definition, OptionDifference difference, IReadOnlyList<BsonDocument> commands) =>
        new(StructureChangeKind.SetOption, definition.Name, difference.Option, Sentence(difference)) { Commands = commands };

    private static StructureChange Cannot(CollectionDefinition definition, OptionDifference difference)
    {
        var why = s_buckets.Contains(difference.Option) ? "buckets can be made longer, but not shorter" : "no server changes that in a collection that exists";
        return new StructureChange(
            StructureChangeKind.Impossible,
            definition.Name,
            difference.Option,
            $"{Sentence(difference)}, and {why}: drop the collection if it is empty and run 'migrator up', or write a migration that copies its documents into "
                + "one that is made as declared, or declare what is there");
    }

    private static string Sentence(OptionDifference difference) => (difference.Existing, difference.Declared) switch
    {
        (BsonNull, var declared) => $"{difference.Option} is not set and {Text(declared)} is declared",
        (var existing, BsonNull) => $"{difference.Option} is {Text(existing)} and none is declared",
        var (existing, declared) => $"{difference.Option} is {Text(existing)} and {Text(declared)} is declared",
    };

    private static string Text(BsonValue value) => value.IsString ? value.AsString : value.ToJson();
}
