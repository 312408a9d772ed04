using Xunit;

namespace Platform.Tests.Graph;

/// <summary>Names of collections: classes of one collection do not run at the same time, because they would disturb each other.</summary>
internal static class TestCollections
{
    /// <summary>
    /// Classes that empty the graph's cache, and that count on what is in it; and the one that looks for what a second stack leaves, beside
    /// which nobody may open a browser: processes that are started meanwhile carry the stack's mark. And the one that finds passwords among arguments, as a
    /// person gives one to redis-cli.
    /// </summary>
    public const string Cache = "What is in the cache";

    /// <summary>A class that lets the server note every command, and one that sends thousands.</summary>
    public const string Profile = "What the profiler keeps";

    /// <summary>The class that builds the platform anew, which takes both processors. It runs when all others have.</summary>
    public const string Alone = "What builds the platform";
}

/// <summary>What is in <see cref="TestCollections.Alone"/> runs beside nothing.</summary>
[CollectionDefinition(TestCollections.Alone, DisableParallelization = true)]
public sealed class AloneDefinition;
