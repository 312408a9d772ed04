using System.Text.Json.Serialization;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>What <c>migrator sharding advise</c> prints.</summary>
/// <param name="Collections">Each collection that was judged.</param>
/// <param name="Notes">What could not be found out, a sentence each.</param>
internal sealed record ShardingAdviceReport(IReadOnlyList<CollectionAdvice> Collections, IReadOnlyList<string> Notes)
{
    /// <summary>Whether every collection has the best of the keys that were judged.</summary>
    public bool IsGood => Collections.All(collection => collection.DeclaredIsBest);

    /// <summary>Whether that decides the exit code.</summary>
    [JsonIgnore]
    public bool FailsOnAdvice { get; init; }
}

/// <summary>The keys of a collection.</summary>
/// <param name="Collection">Its name.</param>
/// <param name="Documents">How many documents it has.</param>
/// <param name="Bytes">What these take, before compression.</param>
/// <param name="Sampled">How many of them were looked at.</param>
/// <param name="DeclaredIsBest">Whether no other key is better than the declared one.</param>
/// <param name="Keys">The keys, the best one first.</param>
/// <param name="Notes">What is worth knowing of the tenants, a sentence each.</param>
internal sealed record CollectionAdvice(
    string Collection, long Documents, long Bytes, int Sampled, bool DeclaredIsBest, IReadOnlyList<JudgedKey> Keys, IReadOnlyList<string> Notes);

/// <summary>A key and what is to be said of it.</summary>
/// <param name="Key">The key, as <c>shardCollection</c> takes it.</param>
/// <param name="IsDeclared">Whether the catalogue declares it.</param>
/// <param name="IsPossible">Whether a cluster would take it.</param>
/// <param name="Cost">How bad it is: 0 for a key without fault. It only serves to compare keys of one collection.</param>
/// <param name="Figures">What was measured.</param>
/// <param name="Reads">Where the declared queries go, and those reads that a profiler kept.</param>
/// <param name="Writes">Where the changes go that a profiler kept.</param>
/// <param name="For">What speaks for it, a sentence each.</param>
/// <param name="Against">What speaks against it, a sentence each, the worst first.</param>
/// <param name="Server">What <c>analyzeShardKey</c> says of it; null when the server was not asked, or does not know it.</param>
internal sealed record JudgedKey(
    string Key, bool IsDeclared, bool IsPossible, double Cost, KeyFigures Figures, KeyTargets Reads, KeyTargets Writes, IReadOnlyList<string> For,
    IReadOnlyList<string> Against, string? Server = null);

/// <summary>How many questions go where.</summary>
/// <param name="One">To one shard: they name a value of the whole key.</param>
/// <param name="Some">To those shards that have documents with the value of the key's first field that they name.</param>
/// <param name="All">To all shards.</param>
internal sealed record KeyTargets(int One, int Some, int All)
{
    /// <summary>All of them.</summary>
    public int Total => One + Some + All;

    /// <summary>The share that goes to all shards; 0 when there are none.</summary>
    public double AllShare => Total == 0 ? 0 : (double)All / Total;
}
