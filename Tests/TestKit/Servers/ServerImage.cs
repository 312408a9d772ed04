namespace Platform.Tests.TestKit.Servers;

/// <summary>The local servers that tests and benchmarks start, and the scripts that run them.</summary>
internal static class ServerImage
{
    /// <summary>Where <c>./platform setup</c> keeps what it made.</summary>
    public static string Cache { get; } = Environment.GetEnvironmentVariable("PLATFORM_CACHE") is { Length: > 0 } cache
        ? cache
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform");

    /// <summary>The root file system with the servers.</summary>
    public static string Directory { get; } = Path.Combine(Cache, "server-image");

    /// <summary>Why its servers cannot run on this machine; null when they can.</summary>
    public static string? WhyUnavailable() =>
        !OperatingSystem.IsLinux() ? "The servers of the image run on Linux only."
        : !System.IO.Directory.Exists(Path.Combine(Directory, "usr")) ? $"The server image is missing at {Directory}: run './platform setup'."
        : null;

    /// <summary>The path of the script that runs a server.</summary>
    public static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Native", name);
}
