using Platform.Data.Catalogue;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>What a key would do with the documents that are there.</summary>
internal sealed record KeyFigures
{
    /// <summary>How many documents were looked at.</summary>
    public required int Sampled { get; init; }

    /// <summary>How many values of the key these have.</summary>
    public required int Distinct { get; init; }

    /// <summary>The share of them that have the most common value, from 0 to 1.</summary>
    public required double MostCommonShare { get; init; }

    /// <summary>The share of them that lack a field of the key, from 0 to 1.</summary>
    public required double LackingShare { get; init; }

    /// <summary>
    /// What a large tenant's documents with one value take, in bytes: they are never parted. The tenant is as large as the key was chosen for
    /// (<see cref="ShardKey.LargeTenantMegabytes"/>), and its values are spread as those of the largest one that is there.
    /// </summary>
    public required long LargestPieceBytes { get; init; }

    /// <summary>How the order of the key follows the order in which documents were made, from -1 to 1 (Spearman); null when it is not known.</summary>
    public required double? Correlation { get; init; }

    /// <summary>
    /// The share of the newest tenth of the documents that go to the fullest of four ranges which part the older ones evenly, from 0 to 1: a quarter
    /// when writes spread, 1 when one shard takes them all. Of a key with few values, the share with the most common one. Null when it is not known.
    /// </summary>
    public required double? NewestInOneRange { get; init; }
}
