using System.Buffers.Binary;
using System.Security.Cryptography;
using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>Measures what a key would do with documents. Knows no server.</summary>
internal static class KeyMeasure
{
    /// <summary>Of fewer documents nothing is said about how they spread.</summary>
    public const int Few = 100;

    /// <summary>A key with no more values has no more ranges than that.</summary>
    public const int FewValues = 64;

    private const int Ranges = 4;
    private const long Megabyte = 1_000_000;

    /// <summary>Measures a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="sample">The documents.</param>
    public static KeyFigures Of(ShardKey key, CollectionSample sample)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(sample);
        var documents = sample.Documents;
        var values = documents.Select(document => ValuesOf(key, document)).ToArray();
        var sorted = Enumerable.Range(0, values.Length).ToArray();
        Array.Sort(sorted, (left, right) => Compare(values[left], values[right]));
        var (distinct, most) = Runs(sorted, values);
        var judged = sample.InOrder && documents.Count >= Few;
        return new()
        {
            Sampled = documents.Count,
            Distinct = distinct,
            MostCommonShare = documents.Count == 0 ? 0 : (double)most / documents.Count,
            LackingShare = documents.Count == 0
                ? 0
                : (double)documents.Count(document => key.Fields.Any(field => At(document, field) is null)) / documents.Count,
            LargestPieceBytes = PieceOf(key, sample, values),
            Correlation = judged ? CorrelationOf(sorted, values) : null,
            NewestInOneRange = judged ? NewestInOneRange(sorted, values, distinct) : null,
        };
    }

    /// <summary>The value of a field, or of one in embedded documents; null when there is none.</summary>
    public static BsonValue? At(BsonDocument document, string field)
    {
        BsonValue? at = document;
        foreach (var name in field.Split('.'))
        {
            at = at is BsonDocument parent && parent.TryGetValue(name, out var value) ? value : null;
        }

        return at;
    }

    private static BsonValue[] ValuesOf(ShardKey key, BsonDocument document) =>
    [
        .. key.Keys.Select(field => At(document, field.Field) is not { } value ? BsonNull.Value
            : field.Kind == IndexKind.Hashed ? Hash(value)
            : value),
    ];

    // Which hash it is makes no difference to how values spread.
    private static BsonInt64 Hash(BsonValue value) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(new BsonDocument("v", value).ToBson())));

    private static int Compare(BsonValue[] left, BsonValue[] right)
    {
        for (var i = 0; i < left.Length; i++)
        {
            if (left[i].CompareTo(right[i]) is not 0 and var order)
            {
                return order;
            }
        }

        return 0;
    }

    private static (int Distinct, int Most) Runs(int[] sorted, BsonValue[][] values)
    {
        var (distinct, most, run) = (0, 0, 0);
        for (var i = 0; i < sorted.Length; i++)
        {
            run = i > 0 && Compare(values[sorted[i - 1]], values[sorted[i]]) == 0 ? run + 1 : 1;
            distinct += run == 1 ? 1 : 0;
            most = Math.Max(most, run);
        }

        return (distinct, most);
    }

    private static long PieceOf(ShardKey key, CollectionSample sample, BsonValue[][] values)
    {
        if (values.Length == 0)
        {
            // Without documents it is known of the tenant alone.
            return key.Fields.SequenceEqual([QueryPattern.Tenant]) ? key.LargeTenantMegabytes * Megabyte : 0;
        }

        var all = Enumerable.Range(0, values.Length).ToArray();
        var tenants = all.GroupBy(document => At(sample.Documents[document], QueryPattern.Tenant) ?? BsonNull.Value).ToList();
        var largest = tenants.MaxBy(tenant => tenant.Count())!.ToArray();
        Array.Sort(largest, (left, right) => Compare(values[left], values[right]));
        var (_, most) = Runs(largest, values);
        // That no two have the same value says that pieces are small, and not that they are one of so many.
        var size = key.LargeTenantMegabytes > 0 ? key.LargeTenantMegabytes * Megabyte : sample.Bytes * ((double)largest.Length / values.Length);
        return (long)(most <= 1 && largest.Length > 1 ? sample.MeanBytes : Math.Max(sample.MeanBytes, size * most / largest.Length));
    }

    // Pearson's correlation of ranks; equal values share the mean of theirs.
    private static double? CorrelationOf(int[] sorted, BsonValue[][] values)
    {
        var ranks = new double[sorted.Length];
        for (var from = 0; from < sorted.Length;)
        {
            var to = from + 1;
            while (to < sorted.Length && Compare(values[sorted[from]], values[sorted[to]]) == 0)
            {
                to++;
            }

            for (var i = from; i < to; i++)
            {
                ranks[sorted[i]] = (from + to - 1) / 2.0;
            }

            from = to;
        }

        var mean = (sorted.Length - 1) / 2.0;
        double both = 0, ofKeys = 0, ofOrder = 0;
        for (var i = 0; i < ranks.Length; i++)
        {
            both += (ranks[i] - mean) * (i - mean);
            ofKeys += (ranks[i] - mean) * (ranks[i] - mean);
            ofOrder += (i - mean) * (i - mean);
        }

        return ofKeys == 0 ? null : both / Math.Sqrt(ofKeys * ofOrder);
    }

    private static double NewestInOneRange(int[] sorted, BsonValue[][] values, int distinct)
    {
        var newest = Math.Max(1, values.Length / 10);
        if (distinct <= FewValues)
        {
            // What has one value is in one range, and which other values are beside it is chance.
            return (double)Enumerable.Range(values.Length - newest, newest)
                .GroupBy(document => new BsonArray(values[document]))
                .Max(group => group.Count()) / newest;
        }

        var older = sorted.Where(document => document < values.Length - newest).ToArray();
        var bounds = Enumerable.Range(1, Ranges - 1).Select(bound => values[older[older.Length * bound / Ranges]]).ToArray();
        var counts = new int[Ranges];
        for (var document = values.Length - newest; document < values.Length; document++)
        {
            counts[bounds.Count(bound => Compare(bound, values[document]) <= 0)]++;
        }

        return (double)counts.Max() / newest;
    }
}
