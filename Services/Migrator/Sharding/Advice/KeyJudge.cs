using System.Globalization;
using Platform.Data.Catalogue;
using Platform.Data.Encryption;
using Platform.Migrator.Indexes;
using Platform.Migrator.Sharding.Simulation;
using static Platform.Migrator.Reports.ReportLines;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>Judges the keys that a collection could be sharded by, on its documents and what is asked of it. Knows no server.</summary>
/// <remarks>
/// By <see href="https://www.mongodb.com/docs/manual/core/sharding-choose-a-shard-key/"/>: cardinality, frequency, monotonicity, and the queries.
/// </remarks>
internal static class KeyJudge
{
    // Four ranges that part documents evenly get a quarter each; beyond this, one of them has the writes.
    private const double HotShare = 0.6;

    private const int NamedQueries = 3;

    // Faults that differ by less are as good as each other, and what is declared stays.
    private const double Margin = 0.05;

    /// <summary>Judges keys.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="candidates">The keys; the declared one among them.</param>
    /// <param name="sample">Its documents.</param>
    /// <param name="queries">What is asked of it.</param>
    /// <returns>The keys, the best one first, and whether that is the declared one.</returns>
    public static (IReadOnlyList<JudgedKey> Keys, bool DeclaredIsBest) Judge(
        CollectionDefinition collection, IReadOnlyList<KeyCandidate> candidates, CollectionSample sample, IReadOnlyList<AskedQuery> queries)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        var keys = candidates.Select(candidate => Judge(collection, candidate, sample, queries))
            .OrderBy(key => key.IsPossible ? 0 : 1)
            .ThenBy(key => key.Cost)
            .ThenBy(key => key.IsDeclared ? 0 : 1)
            .ToList();
        var declared = keys.Find(key => key.IsDeclared)!;
        var isBest = declared.IsPossible && (!keys[0].IsPossible || declared.Cost <= keys[0].Cost + Margin);
        if (isBest)
        {
            keys.Remove(declared);
            keys.Insert(0, declared);
        }

        return (keys, isBest);
    }

    private static JudgedKey Judge(CollectionDefinition collection, KeyCandidate candidate, CollectionSample sample, IReadOnlyList<AskedQuery> queries)
    {
        var (key, figures) = (candidate.Key, KeyMeasure.Of(candidate.Key, sample));
        List<string> good = [];
        List<(double Cost, string Sentence)> bad = [];
        var lost = collection.Indexes.Where(index => index.Unique && !key.KeepsUnique(index)).ToList();
        if (lost.Count > 0)
        {
            bad.Add((10, $"A cluster would refuse it: {string.Join(" and ", lost.Select(index => $"the index {index.Name}"))} could not stay unique, "
                + "as it does not begin with the fields of the key."));
        }

        OfFields(collection, key, bad);
        var reads = Targets(key, queries.Where(query => !query.IsWrite));
        var writes = Targets(key, queries.Where(query => query.IsWrite));
        OfQueries(key, queries, reads, writes, good, bad);
        OfPieces(key, figures, good, bad);
        OfNewest(key, figures, good, bad);

        bad = [.. bad.OrderByDescending(fault => fault.Cost)];
        return new(
            key.KeyDocument().ToString(), candidate.IsDeclared, lost.Count == 0, Math.Round(bad.Sum(fault => fault.Cost), 3), figures, reads, writes, good,
            [.. bad.Select(fault => fault.Sentence)]);
    }

    // What a key may not be made of, whatever its values are.
    private static void OfFields(CollectionDefinition collection, ShardKey key, List<(double, string)> bad)
    {
        var personal = EncryptedFields.Of(collection.DocumentType).Select(field => field.Name).Intersect(key.Fields, StringComparer.Ordinal).ToList();
        if (personal.Count > 0)
        {
            bad.Add((4, $"{string.Join(" and ", personal)} is personal: it changes, and boundaries of ranges, which stand in logs, would show it."));
        }

        if (collection.TimeSeries is { } series && key.Fields.Contains(series.TimeField))
        {
            bad.Add((1.5, $"MongoDB 8.0 deprecates the time of a time series ({series.TimeField}) in its shard key."));
        }

        if (key.IsZoned && key.Keys[0].Kind == IndexKind.Hashed)
        {
            bad.Add((0.2, $"Values of {key.Keys[0].Field} that belong together are not beside each other, so that no zone can keep a tenant in its region."));
        }
    }

    private static void OfQueries(
        ShardKey key, IReadOnlyList<AskedQuery> queries, KeyTargets reads, KeyTargets writes, List<string> good, List<(double, string)> bad)
    {
        if (reads.All > 0)
        {
            var named = queries.Where(query => !query.IsWrite && query.Name is not null && key.TargetOf(query.Filter) == ShardTarget.All)
                .Select(query => query.Name!)
                .ToList();
            var names = named.Count == 0 ? "" : $": {string.Join("; ", named.Take(NamedQueries))}{(named.Count > NamedQueries ? "; ..." : "")}";
            bad.Add((3 * reads.AllShare, $"{Number(reads.All)} of {Count(reads.Total, "query", "queries")} ask all shards{names}."));
        }
        else if (reads.Total > 0)
        {
            good.Add(reads.Some == 0 ? "Every query is answered by one shard." : "No query asks all shards.");
        }

        if (reads.Some > 0)
        {
            // With a tenant that fits into one range these are on one shard, too.
            bad.Add((0.1 * reads.Some / reads.Total,
                $"{Number(reads.Some)} of {Count(reads.Total, "query", "queries")} ask all shards that a value of {key.Keys[0].Field} is parted over."));
        }

        if (writes.All > 0)
        {
            bad.Add((3 * writes.AllShare, $"{Number(writes.All)} of {Count(writes.Total, "recorded change", "recorded changes")} ask all shards."));
        }
    }

    private static void OfPieces(ShardKey key, KeyFigures figures, List<string> good, List<(double, string)> bad)
    {
        var range = key.RangeBytes;
        if (figures.LargestPieceBytes > range)
        {
            // From there on shards differ so much that the balancer works, and what cannot be parted cannot be moved.
            var isJumbo = figures.LargestPieceBytes > Balancer.Threshold * range;
            bad.Add((isJumbo ? 1 : 0.5,
                $"Documents with one value are never parted: of a large tenant, {Size(figures.LargestPieceBytes)} of them, "
                    + $"{Times(figures.LargestPieceBytes, range)} a range{(isJumbo ? ", which no balancer moves" : "")}."));
        }
        else if (figures.Distinct == figures.Sampled && figures.Sampled >= KeyMeasure.Few)
        {
            good.Add("Every document has a value of its own, so that any amount can be parted.");
        }
        else if (figures.Sampled > 0)
        {
            good.Add($"What stays together is small: {Size(figures.LargestPieceBytes)} of a large tenant.");
        }

        if (figures.Sampled >= KeyMeasure.Few && figures.Distinct <= KeyMeasure.FewValues && !key.Fields.Contains(QueryPattern.Tenant))
        {
            bad.Add((1, $"It has {Count(figures.Distinct, "value", "values")}, and so no more ranges than that."));
        }

        if (figures.LackingShare > 0)
        {
            bad.Add((figures.LackingShare, $"{Percent(figures.LackingShare)} of the documents lack a field of it, which puts them into one range."));
        }
    }

    private static void OfNewest(ShardKey key, KeyFigures figures, List<string> good, List<(double, string)> bad)
    {
        if (figures.NewestInOneRange is not { } share)
        {
            return;
        }

        if (share > HotShare)
        {
            // Writes of what fits into one range, or of what is mostly changed later, are no shard's burden.
            var matters = !key.IsMostlyUpdated && key.LargeTenantMegabytes > key.RangeMebibytes;
            bad.Add((matters ? 2 * (share - 0.25) / 0.75 : 0.01,
                $"{Percent(share)} of the newest documents lie in one quarter of its ranges: "
                    + $"one shard would take {(matters ? "the writes" : "them, which are few")}."
                    + (figures.Correlation is > 0.9 ? " It grows with time." : "")));
        }
        else
        {
            good.Add($"New documents spread: {Percent(share)} of the newest lie in the fullest quarter of its ranges.");
        }
    }

    private static KeyTargets Targets(ShardKey key, IEnumerable<AskedQuery> queries)
    {
        var targets = queries.Select(query => key.TargetOf(query.Filter)).ToList();
        return new(
            targets.Count(target => target == ShardTarget.One),
            targets.Count(target => target == ShardTarget.Some),
            targets.Count(target => target == ShardTarget.All));
    }

    private static string Percent(double share) => (100 * share).ToString(share < 0.01 ? "0.0" : "0", CultureInfo.InvariantCulture) + " %";

    private static string Times(long bytes, long range) => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / range:0.#} times");
}
