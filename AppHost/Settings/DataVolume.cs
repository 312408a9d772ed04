using Platform.Hosting.Servers;

namespace Platform.AppHost.Settings;

/// <summary>The container volumes in which the platform's servers keep their data.</summary>
internal static class DataVolume
{
    /// <summary>What the names of all of them begin with.</summary>
    public const string Prefix = "platform";

    /// <summary>The name of a resource's volume.</summary>
    /// <param name="dataDirectory">Where the graph's servers would keep their data if they were processes of the machine.</param>
    /// <param name="resource">The resource; empty for what the names of all of them begin with.</param>
    /// <returns>For example <c>platform-0123456789ab-cache</c>.</returns>
    public static string NameOf(string dataDirectory, string resource)
        // './platform clean' makes the same name.
        => VolumeName.Of(Prefix, dataDirectory, resource);
}
