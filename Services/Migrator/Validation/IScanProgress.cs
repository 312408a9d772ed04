namespace Platform.Migrator.Validation;

/// <summary>Hears how a scan comes along.</summary>
internal interface IScanProgress
{
    /// <summary>A collection is read next.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="expected">About how many documents it has.</param>
    void Begin(string collection, long expected);

    /// <summary>More of the collection was read.</summary>
    /// <param name="documents">How many documents so far.</param>
    void Advance(long documents);

    /// <summary>The collection was read.</summary>
    /// <param name="result">What was found.</param>
    void End(ScanResult result);
}
