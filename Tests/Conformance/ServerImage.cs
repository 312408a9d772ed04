namespace Platform.Tests.Conformance;

/// <summary>The local servers that tests start, and the scripts that run them.</summary>
internal static class ServerImage
{
    /// <summary>The root file system with the servers.</summary>
    public static string Directory { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("PLATFORM_CACHE") is { Length: > 0 } cache
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform"),
        "server-image");

    /// <summary>Why its servers cannot run on this machine; null when they can.</summary>
    public static string? WhyUnavailable() =>
        !OperatingSystem.IsLinux() ? "The native engine runs on Linux only."
        : !System.IO.Directory.Exists(Path.Combine(Directory, "usr")) ? $"The server image is missing at {Directory}: run './platform setup'."
        : null;

    /// <summary>The path of the script that runs a server.</summary>
    public static string Script(string name) => Path.Combine(RepositoryRoot(), "AppHost", "Native", name);

    private static string RepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Platform.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException("The repository's root was not found above the test program.");
    }
}
