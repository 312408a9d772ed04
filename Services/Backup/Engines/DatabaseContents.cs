namespace Platform.Backup.Engines;

/// <summary>All that a database server has at one moment, as far as two of them are to be compared.</summary>
/// <param name="Collections">Its collections, by database and name.</param>
/// <param name="Accounts">Its users and roles but the administrator, by their names, and a hash of what each may do and logs in with.</param>
internal sealed record DatabaseContents(
    IReadOnlyDictionary<string, CollectionContents> Collections, IReadOnlyDictionary<string, string> Accounts)
{
    /// <summary>How many documents there are.</summary>
    public long Documents => Collections.Values.Sum(collection => collection.Documents);
}

/// <summary>What a collection has.</summary>
/// <param name="Definition">A hash of its options, the validator among them.</param>
/// <param name="Indexes">A hash of each index, by its name.</param>
/// <param name="Parts">
/// Its documents, parted by a hash of their keys: of each part that has any how many they are, and a hash of them all, in whatever order.
/// </param>
internal sealed record CollectionContents(
    string Definition, IReadOnlyDictionary<string, string> Indexes, IReadOnlyDictionary<int, PartContents> Parts)
{
    /// <summary>How many documents it has.</summary>
    public long Documents => Parts.Values.Sum(part => part.Documents);
}

/// <summary>What a part of a collection has.</summary>
/// <param name="Documents">How many documents.</param>
/// <param name="Hash">A hash of them all.</param>
internal sealed record PartContents(long Documents, string Hash);
