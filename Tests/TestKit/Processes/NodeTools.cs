using System.Diagnostics;
using Xunit;

namespace Platform.Tests.TestKit.Processes;

/// <summary>Runs programs of the pinned npm packages, each in a process of its own with a home directory of its own.</summary>
internal static class NodeTools
{
    // Several times as long as any of the scripts takes beside other tests.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);

    /// <summary>Where the packages are.</summary>
    public static string Modules { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("PLATFORM_NODE_TOOLS") is { Length: > 0 } tools
            ? tools
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform", "node-tools"),
        "node_modules");

    /// <summary>The path of a script that lies beside the tests.</summary>
    public static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Scripts", name);

    /// <summary>The path of a package's program.</summary>
    public static string Program(string package, string file) => Path.Combine(Modules, package, "bin", file);

    /// <summary>Skips the test when a package is missing.</summary>
    public static void Require(string package) => Assert.SkipUnless(
        Directory.Exists(Path.Combine(Modules, package)), $"The npm package '{package}' is missing in {Modules}: run './platform setup'.");

    /// <summary>Runs node to its end.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="directory">Where; null for a home directory of its own.</param>
    /// <param name="environment">Further environment variables.</param>
    public static async Task<ProgramResult> RunAsync(IEnumerable<string> arguments, string? directory = null, params (string Name, string Value)[] environment)
    {
        var home = Directory.CreateTempSubdirectory("node-home-");
        try
        {
            var start = new ProcessStartInfo("node", arguments)
            {
                WorkingDirectory = directory ?? home.FullName,
                Environment = { ["NODE_PATH"] = Modules, ["HOME"] = home.FullName, ["NO_COLOR"] = "1" },
            };
            foreach (var (name, value) in environment)
            {
                start.Environment[name] = value;
            }

            return await ProgramResult.OfAsync(start, TestContext.Current.CancellationToken, s_patience);
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }
}
