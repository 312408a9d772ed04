namespace Platform.Gateway.Backend;

/// <summary>Collections that hold what <c>$out</c> or <c>$merge</c> is to write; one that a loss left behind is dropped at the next start.</summary>
internal static class TemporaryCollections
{
    /// <summary>What their names look like, for PostgreSQL.</summary>
    public const string Pattern = "tmp\\.agg_out\\.[0-9a-f]{32}";

    /// <summary>A name that no other has.</summary>
    public static string NewName() => $"tmp.agg_out.{Guid.NewGuid():N}";
}
