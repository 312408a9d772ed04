using System.Diagnostics;
using System.Net.NetworkInformation;
using Microsoft.Extensions.Configuration;

namespace Platform.AppHost.Settings;

/// <summary>The settings of the app graph: configuration section <c>Platform</c>, by arguments, environment or appsettings.</summary>
internal sealed record PlatformOptions
{
    /// <summary><c>Platform:Engine</c>: <c>auto</c> (default), <c>containers</c>, <c>native</c> or <c>external</c>.</summary>
    public required Engine Engine { get; init; }

    /// <summary><c>Platform:DataDirectory</c>: where local servers keep their data. Default: <c>.platform/data</c> in the repository.</summary>
    public required string DataDirectory { get; init; }

    /// <summary><c>Platform:ServerImage</c>: the root file system with the local servers. Default: <c>server-image</c> in the cache.</summary>
    public required string ServerImage { get; init; }

    /// <summary><c>Platform:StackFile</c>: where the running stack describes itself, or null for nowhere (the default).</summary>
    public string? StackFile { get; init; }

    /// <summary><c>Platform:ApiPort</c>: the API's public port, or null for a free one (the default).</summary>
    public int? ApiPort { get; init; }

    /// <summary><c>Platform:Seed</c>: whether the seeder runs. Default: true.</summary>
    public bool Seed { get; init; } = true;

    /// <summary>The directory of the scripts that run local servers.</summary>
    public string NativeScripts { get; } = Path.Combine(AppContext.BaseDirectory, "Native");

    /// <summary>Reads the settings, and finds out the engine when it is <c>auto</c>.</summary>
    /// <exception cref="DistributedApplicationException">A setting has a value that cannot be used; the message names its key.</exception>
    public static PlatformOptions From(IDistributedApplicationBuilder builder)
    {
        var options = From(builder.Configuration.GetSection("Platform"), builder.AppHostDirectory, ContainerRuntimeAnswers);
        if (builder.ExecutionContext.IsRunMode && options.ApiPort is { } port && IsTaken(port))
        {
            throw new DistributedApplicationException(
                $"Platform:ApiPort is {port}, but another program listens there: end that program or choose another port.");
        }

        return options;
    }

    internal static PlatformOptions From(IConfiguration section, string appHostDirectory, Func<bool> containerRuntimeAnswers)
    {
        var cache = Environment.GetEnvironmentVariable("PLATFORM_CACHE") is { Length: > 0 } path
            ? path
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform");
        var repository = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(appHostDirectory))!;

        return new PlatformOptions
        {
            Engine = ParseEngine(section["Engine"], containerRuntimeAnswers),
            DataDirectory = Path.GetFullPath(section["DataDirectory"] ?? Path.Combine(repository, ".platform", "data")),
            ServerImage = Path.GetFullPath(section["ServerImage"] ?? Path.Combine(cache, "server-image")),
            StackFile = section["StackFile"] is { Length: > 0 } file ? Path.GetFullPath(file) : null,
            ApiPort = ParsePort(section["ApiPort"]),
            Seed = ParseSwitch(section["Seed"]),
        };
    }

    private static Engine ParseEngine(string? value, Func<bool> containerRuntimeAnswers) => value?.ToLowerInvariant() switch
    {
        null or "" or "auto" => containerRuntimeAnswers() ? Engine.Containers : Engine.Native,
        "containers" => containerRuntimeAnswers()
            ? Engine.Containers
            : throw new DistributedApplicationException(
                "Platform:Engine is 'containers', but no container runtime answers: start Docker or Podman, or use --Platform:Engine=native."),
        "native" => Engine.Native,
        "external" => Engine.External,
        _ => throw new DistributedApplicationException(
            $"Platform:Engine is '{value}', but must be auto, containers, native or external."),
    };

    private static int? ParsePort(string? value) => value switch
    {
        null or "" => null,
        _ when int.TryParse(value, out var port) && port is > 0 and <= ushort.MaxValue => port,
        _ => throw new DistributedApplicationException($"Platform:ApiPort is '{value}', but must be a port from 1 to 65535."),
    };

    private static bool ParseSwitch(string? value) => value switch
    {
        null or "" => true,
        _ when bool.TryParse(value, out var on) => on,
        _ => throw new DistributedApplicationException($"Platform:Seed is '{value}', but must be true or false."),
    };

    private static bool IsTaken(int port)
        => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port);

    // The client alone proves nothing: it is installed on machines where no engine runs.
    private static bool ContainerRuntimeAnswers() => Answers("docker", "version") || Answers("podman", "info");

    private static bool Answers(string command, string argument)
    {
        var start = new ProcessStartInfo(command, [argument]) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            // Drained, so that a full pipe cannot block the client.
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (process.WaitForExit(TimeSpan.FromSeconds(5)))
            {
                return process.ExitCode == 0;
            }

            process.Kill(entireProcessTree: true);
            return false;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // not installed
        }
    }
}
