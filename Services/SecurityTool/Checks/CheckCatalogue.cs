namespace Platform.SecurityTool.Checks;

/// <summary>All checks, in the order in which they are run and shown.</summary>
internal static class CheckCatalogue
{
    /// <summary>The checks.</summary>
    public static IReadOnlyList<SecurityCheck> All { get; } = [.. MongoChecks.All, .. RedisChecks.All, .. MachineChecks.All, .. ApiChecks.All];
}
