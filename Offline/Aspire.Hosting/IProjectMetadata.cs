using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>What is known of a .NET project when the app host is compiled.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    /// <summary>The path of the project file.</summary>
    string ProjectPath { get; }

    /// <summary>The launch settings; null: read from Properties/launchSettings.json beside the project file.</summary>
    LaunchSettings? LaunchSettings => null;

    /// <summary>Whether the program is built already.</summary>
    bool SuppressBuild => false;
}
