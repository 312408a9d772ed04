using MongoDB.Bson;

namespace Platform.Backup.InPlace;

/// <summary>What changes in a collection itself when it is brought back.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Created">The options that it is made with, the validator among them; null when it is there.</param>
/// <param name="Modified">The options that become again what they were; null when none do.</param>
/// <param name="Indexes">The indexes that come back.</param>
/// <param name="LeftAlone">The names of the indexes that are not what they were, or were not there: they stay.</param>
internal sealed record StructureChange(
    string Collection, BsonDocument? Created, BsonDocument? Modified, IReadOnlyList<BsonDocument> Indexes, IReadOnlyList<string> LeftAlone)
{
    /// <summary>Whether anything is done.</summary>
    public bool IsNeeded => Created is not null || Modified is not null || Indexes.Count > 0;

    /// <summary>It as bytes, for the name of a plan.</summary>
    public byte[] ToBson() => new BsonDocument
    {
        ["collection"] = Collection, ["created"] = (BsonValue?)Created ?? BsonNull.Value, ["modified"] = (BsonValue?)Modified ?? BsonNull.Value,
        ["indexes"] = new BsonArray(Indexes),
    }.ToBson();

    /// <summary>What it does, for people.</summary>
    public IEnumerable<string> Sentences()
    {
        if (Created is { } options)
        {
            yield return $"{Collection} is made anew{(options.ElementCount > 0 ? $", with {string.Join(", ", options.Names)}" : "")}.";
        }

        if (Modified is { } modified)
        {
            yield return $"What {Collection} has as {string.Join(", ", modified.Names)} becomes again what it was.";
        }

        if (Indexes.Count > 0)
        {
            yield return $"Indexes come back: {string.Join(", ", Indexes.Select(index => index["name"].AsString))}.";
        }

        if (LeftAlone.Count > 0)
        {
            yield return $"Indexes that are others now, or are new, stay as they are: {string.Join(", ", LeftAlone)}.";
        }
    }
}
