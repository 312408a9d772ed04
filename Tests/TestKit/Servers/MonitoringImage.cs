namespace Platform.Tests.TestKit.Servers;

/// <summary>Prometheus and Alertmanager, with their tools, as <c>./platform setup --with monitoring</c> makes them.</summary>
internal static class MonitoringImage
{
    /// <summary>The root file system.</summary>
    public static string Directory { get; } = Path.Combine(ServerImage.Cache, "monitoring-image");

    /// <summary>Why its programs cannot run on this machine; null when they can.</summary>
    public static string? WhyUnavailable() =>
        !OperatingSystem.IsLinux() ? "Prometheus and Alertmanager of the image run on Linux only."
        : !System.IO.Directory.Exists(Path.Combine(Directory, "usr"))
            ? $"The monitoring image is missing at {Directory}: run './platform setup --with monitoring'."
        : null;

    /// <summary>The command line that runs a program of it on a directory, which it finds as <c>/mnt</c>.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="program">The program and its arguments.</param>
    public static IEnumerable<string> Arguments(string directory, params IEnumerable<string> program) =>
        [Directory, "prometheus", "TERM", "--bind", directory, "/mnt", "--chdir", "/mnt", "--", .. program];
}
