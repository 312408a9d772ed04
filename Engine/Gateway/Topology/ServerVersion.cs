namespace Platform.Gateway.Topology;

/// <summary>The MongoDB server that commands and replies correspond to.</summary>
internal static class ServerVersion
{
    /// <summary>Its version.</summary>
    public const string Text = "7.0.0";

    /// <summary>The version of the wire protocol of MongoDB 7.0. With 25 and above drivers would use the bulkWrite command, which the backend lacks.</summary>
    public const int MaxWireVersion = 21;

    /// <summary>The parts of the version, as <c>buildInfo</c> says them.</summary>
    public static IReadOnlyList<int> Parts { get; } = [7, 0, 0, 0];
}
