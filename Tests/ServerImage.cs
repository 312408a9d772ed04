namespace Platform.Tests;

/// <summary>
/// The local servers that tests and benchmarks start, and the scripts that run them. Each of these projects compiles this file.
/// </summary>
internal static class ServerImage
{
    /// <summary>The repository's root, found above the program.</summary>
    /// <exception cref="DirectoryNotFoundException">The program is not inside the repository.</exception>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>Where <c>./platform setup</c> keeps what it made.</summary>
    public static string Cache { get; } = Environment.GetEnvironmentVariable("PLATFORM_CACHE") is { Length: > 0 } cache
        ? cache
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform");

    /// <summary>The root file system with the servers.</summary>
    public static string Directory { get; } = Path.Combine(Cache, "server-image");

    /// <summary>Why its servers cannot run on this machine; null when they can.</summary>
    public static string? WhyUnavailable() =>
        !OperatingSystem.IsLinux() ? "The native engine runs on Linux only."
        : !System.IO.Directory.Exists(Path.Combine(Directory, "usr")) ? $"The server image is missing at {Directory}: run './platform setup'."
        : null;

    /// <summary>The path of the script that runs a server.</summary>
    public static string Script(string name) => Path.Combine(RepositoryRoot, "AppHost", "Native", name);

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Platform.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException("The repository's root was not found above the program.");
    }
}
