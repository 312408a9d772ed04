namespace Platform.Monitor.Queries;

/// <summary>Where the monitor tells of slow operations, to who has its login.</summary>
internal static class QueryPaths
{
    /// <summary>The shapes that took the most time.</summary>
    public const string Top = "/data/queries";

    /// <summary>The latest operations.</summary>
    public const string Latest = "/data/queries/latest";

    /// <summary>One shape: this, a slash and its id.</summary>
    public const string Shape = "/data/queries/shapes";
}
