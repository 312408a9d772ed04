namespace Platform.Gateway.Profiling;

/// <summary>What a profile tells of a plan.</summary>
/// <param name="Summary">Its scans in a line, as <c>IXSCAN { a: 1 }</c>.</param>
/// <param name="Sorts">Whether the documents are sorted after they were read.</param>
/// <param name="Examined">How many keys and documents it reads; null when that was not counted.</param>
internal sealed record ProfiledPlan(string Summary, bool Sorts, (long Keys, long Documents)? Examined);
