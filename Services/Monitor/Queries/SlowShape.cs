namespace Platform.Monitor.Queries;

/// <summary>Slow operations of one shape: what they have in common once their values are left out.</summary>
/// <param name="Id">By what people call it: eight hexadecimal digits.</param>
/// <param name="Collection">The collection.</param>
/// <param name="Operation">What the profiler calls it: <c>query</c>, <c>update</c>, <c>command</c>.</param>
/// <param name="Shape">The command without a value.</param>
/// <param name="Plan">The plan of the last one, as the profiler sums it up: <c>IXSCAN { tenantId: 1 }</c>.</param>
/// <param name="Application">Who sent the last one.</param>
/// <param name="Count">How many there were.</param>
/// <param name="TotalMilliseconds">How long all of them took.</param>
/// <param name="MaxMilliseconds">How long the longest took.</param>
/// <param name="Keys">Entries of indexes that they read.</param>
/// <param name="Documents">Documents that they read.</param>
/// <param name="Returned">Documents that they returned.</param>
/// <param name="First">When the first was.</param>
/// <param name="Last">When the last was.</param>
internal sealed record SlowShape(
    string Id, string Collection, string Operation, string Shape, string Plan, string Application, long Count, long TotalMilliseconds, long MaxMilliseconds,
    long Keys, long Documents, long Returned, DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>What the counts say, in sentences for people.</summary>
    public IReadOnlyList<string> Findings
    {
        get
        {
            var findings = new List<string>();
            var read = Math.Max(Documents, Keys);
            if (Plan.Contains("COLLSCAN", StringComparison.Ordinal))
            {
                findings.Add("It reads the collection from its beginning to its end: no index serves it.");
            }
            else if (Count > 0 && read > 100 * Count && read > 10 * Math.Max(Returned, Count))
            {
                findings.Add($"It reads {read / Math.Max(Returned, 1):N0} for each document that it returns: the index fits only a part of the filter.");
            }

            if (Plan.Contains("SORT", StringComparison.Ordinal))
            {
                findings.Add("It sorts in memory: an index that ends with the fields of the sort would spare that.");
            }

            if (findings.Count == 0 && Operation == "insert")
            {
                findings.Add("It writes: look how many documents each brings, how many indexes they have, and at the disk.");
            }
            else if (findings.Count == 0)
            {
                findings.Add("It reads little for what it returns: the server was busy, or it waited for something.");
            }

            return findings;
        }
    }
}

/// <summary>A slow operation.</summary>
/// <param name="Shape">The id of its shape.</param>
/// <param name="At">When it ended.</param>
/// <param name="Member">On which member.</param>
/// <param name="Collection">The collection.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Plan">Its plan.</param>
/// <param name="Keys">Entries of indexes that it read.</param>
/// <param name="Documents">Documents that it read.</param>
/// <param name="Returned">Documents that it returned.</param>
/// <param name="Application">Who sent it.</param>
internal sealed record SlowOperation(
    string Shape, DateTimeOffset At, string Member, string Collection, long Milliseconds, string Plan, long Keys, long Documents, long Returned,
    string Application);
