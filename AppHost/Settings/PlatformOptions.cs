using System.Net.NetworkInformation;
using Microsoft.Extensions.Configuration;

namespace Platform.AppHost.Settings;

/// <summary>
/// The settings of the app graph: configuration section <c>Platform</c>, by arguments, environment or appsettings.
/// </summary>
internal sealed record PlatformOptions
{
    /// <summary>
    /// <c>Platform:Engine</c>: <c>auto</c> (default), <c>containers</c>, <c>mongod</c>, <c>documentdb</c> or
    /// <c>external</c>.
    /// </summary>
    public required EngineChoice EngineChoice { get; init; }

    /// <summary>The chosen engine.</summary>
    public Engine Engine => EngineChoice.Engine;

    /// <summary>
    /// <c>Platform:DataDirectory</c>: where local servers keep their data. Default: <c>.platform/data</c> in the
    /// repository.
    /// </summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// <c>Platform:ServerImage</c>: the root file system with the local servers. Default: <c>server-image</c> in the
    /// cache.
    /// </summary>
    public required string ServerImage { get; init; }

    /// <summary>
    /// <c>Platform:StackFile</c>: where the running stack describes itself, or null for nowhere (the default).
    /// </summary>
    public string? StackFile { get; init; }

    /// <summary><c>Platform:ApiPort</c>: the API's public port, or null for a free one (the default).</summary>
    public int? ApiPort { get; init; }

    /// <summary>
    /// <c>Platform:Mongo:Members</c>: how many members the replica set of the engine <c>documentdb</c> has, 3 (default) or 1.
    /// </summary>
    public int MongoMembers { get; init; } = 3;

    /// <summary><c>Platform:Seed</c>: whether the seeder runs. Default: true.</summary>
    public bool Seed { get; init; } = true;

    /// <summary>The directory of the scripts that run local servers.</summary>
    public string NativeScripts { get; } = Path.Combine(AppContext.BaseDirectory, "Native");

    /// <summary>Reads the settings and chooses the engine; what is to run must be able to.</summary>
    /// <exception cref="DistributedApplicationException">
    /// A setting has a value that cannot be used; the message names its key.
    /// </exception>
    public static PlatformOptions From(IDistributedApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection("Platform");
        if (builder.ExecutionContext.IsPublishMode)
        {
            return From(section, builder.AppHostDirectory, EngineChoice.Published) with { ApiPort = null, StackFile = null };
        }

        var options = From(section, builder.AppHostDirectory, Machine.Here);
        if (options.ObstacleTo(builder.Configuration, Machine.Here) is { } obstacle)
        {
            throw new DistributedApplicationException(obstacle);
        }

        return options;
    }

    internal static PlatformOptions From(IConfiguration section, string appHostDirectory, Machine machine)
        => From(section, appHostDirectory, EngineChoice.From(section["Engine"], machine));

    private static PlatformOptions From(IConfiguration section, string appHostDirectory, EngineChoice engine)
    {
        var cache = Environment.GetEnvironmentVariable("PLATFORM_CACHE") is { Length: > 0 } path
            ? path
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform");
        var repository = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(appHostDirectory))!;

        return new PlatformOptions
        {
            EngineChoice = engine,
            DataDirectory = Path.GetFullPath(section["DataDirectory"] ?? Path.Combine(repository, ".platform", "data")),
            ServerImage = Path.GetFullPath(section["ServerImage"] ?? Path.Combine(cache, "server-image")),
            StackFile = section["StackFile"] is { Length: > 0 } file ? Path.GetFullPath(file) : null,
            ApiPort = ParsePort(section["ApiPort"]),
            Seed = ParseSwitch(section["Seed"]),
            MongoMembers = ParseMembers(section["Mongo:Members"]),
        };
    }

    /// <summary>What keeps a graph with these settings from running here, in a sentence; null for nothing.</summary>
    /// <param name="configuration">The AppHost's configuration.</param>
    /// <param name="machine">What the machine has.</param>
    internal string? ObstacleTo(IConfiguration configuration, Machine machine)
    {
        if (ApiPort is { } port && IsTaken(port))
        {
            return $"Platform:ApiPort is {port}, but another program listens there: "
                + "end that program or choose another port.";
        }

        return Engine switch
        {
            Engine.External => ((string[])[ResourceNames.Database, ResourceNames.Cache])
                .Where(name => string.IsNullOrEmpty(configuration.GetConnectionString(name)))
                .Select(name => $"The engine is external, but ConnectionStrings:{name} is not set.")
                .FirstOrDefault(),
            Engine.Mongod or Engine.DocumentDb when !machine.IsLinux =>
                $"The engine is {EngineChoice}, whose servers run on Linux only: start Docker or Podman, or name servers that "
                + "run already (--Platform:Engine=external).",
            Engine.Mongod or Engine.DocumentDb when !Directory.Exists(Path.Combine(ServerImage, "usr")) =>
                $"The engine is {EngineChoice}, but the server image is missing at {ServerImage}: "
                + "run './platform setup'.",
            Engine.Mongod or Engine.DocumentDb when !machine.HasProgram("bwrap") =>
                $"The engine is {EngineChoice}, but bubblewrap is not on the PATH: run './platform setup'.",
            _ => null,
        };
    }

    private static int? ParsePort(string? value) => value switch
    {
        null or "" => null,
        _ when int.TryParse(value, out var port) && port is > 0 and <= ushort.MaxValue => port,
        _ => throw new DistributedApplicationException(
            $"Platform:ApiPort is '{value}', but must be a port from 1 to 65535."),
    };

    private static int ParseMembers(string? value) => value switch
    {
        null or "" or "3" => 3,
        "1" => 1,
        _ => throw new DistributedApplicationException($"Platform:Mongo:Members is '{value}', but must be 1 or 3."),
    };

    private static bool ParseSwitch(string? value) => value switch
    {
        null or "" => true,
        _ when bool.TryParse(value, out var on) => on,
        _ => throw new DistributedApplicationException($"Platform:Seed is '{value}', but must be true or false."),
    };

    private static bool IsTaken(int port)
        => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port);
}
