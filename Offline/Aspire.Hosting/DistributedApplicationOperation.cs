namespace Aspire.Hosting;

/// <summary>What the app host does with the graph. The stand-in only runs it.</summary>
public enum DistributedApplicationOperation
{
    /// <summary>Run it on this machine.</summary>
    Run = 0,

    /// <summary>Publish it; not supported here.</summary>
    Publish = 1,
}
