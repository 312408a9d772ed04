using Platform.Data.Catalogue;

namespace Platform.Migrator.Sharding.Simulation;

/// <summary>What the documents of each tenant take, in bytes, in each sharded collection.</summary>
/// <param name="Names">The names of the tenants, in the order of their keys.</param>
/// <param name="Bytes">For each of <see cref="Collections"/>, what each tenant has of it.</param>
internal sealed record TenantSizes(IReadOnlyList<string> Names, IReadOnlyList<long[]> Bytes)
{
    /// <summary>How fast tenants become smaller, the largest first: the one at rank r has r to the power of minus this of the largest one's data.</summary>
    public const double Tail = 1.1;

    /// <summary>With how many tenants the largest one is as large as the catalogue says; with fewer it is smaller, by the square root.</summary>
    public const int LargestAt = 100_000;

    private const long Megabyte = 1_000_000;

    /// <summary>The sharded collections, in the order of the catalogue.</summary>
    public static IReadOnlyList<CollectionDefinition> Collections { get; } =
        [.. CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded)];

    /// <summary>What all of it takes.</summary>
    public long Total => Bytes.Sum(collection => collection.Sum());

    /// <summary>The tenant with most data.</summary>
    public int Largest => Enumerable.Range(0, Names.Count).MaxBy(Of);

    /// <summary>What a tenant has, in bytes.</summary>
    public long Of(int tenant) => Bytes.Sum(collection => collection[tenant]);

    /// <summary>
    /// Makes up tenants with a long tail: a few are large, most are small. The same numbers make the same tenants.
    /// </summary>
    /// <param name="tenants">How many.</param>
    /// <param name="seed">Decides which.</param>
    public static TenantSizes Grown(int tenants, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tenants, 1);
        var random = new Random(seed);
        var largest = Math.Min(1, Math.Sqrt(tenants / (double)LargestAt));
        // Keys are made when tenants come, which says nothing of their size.
        var ranks = Enumerable.Range(1, tenants).ToArray();
        random.Shuffle(ranks);
        var bytes = Collections.Select(_ => new long[tenants]).ToArray();
        for (var tenant = 0; tenant < tenants; tenant++)
        {
            var share = largest * Math.Pow(ranks[tenant], -Tail);
            for (var collection = 0; collection < bytes.Length; collection++)
            {
                // Tenants of a size differ: some have many products, others many orders.
                var of = share * (0.5 + random.NextDouble());
                bytes[collection][tenant] = Math.Max(1, (long)(of * Megabyte * Collections[collection].ShardKey.LargeTenantMegabytes));
            }
        }

        return new TenantSizes([.. ranks.Select(rank => $"tenant-{rank}")], bytes);
    }
}
