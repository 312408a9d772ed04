using System.Diagnostics;
using Xunit;

namespace Platform.Tests.Conformance.Gateway;

/// <summary>The Node.js driver and mongosh, each in a process of its own.</summary>
[Collection(GatewayCollection.Name)]
public sealed class NodeClientTests(GatewayFixture gateway)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static string Tools => Environment.GetEnvironmentVariable("PLATFORM_NODE_TOOLS") is { Length: > 0 } tools
        ? tools
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform", "node-tools");

    [Fact]
    public Task The_Node_driver_passes_its_script() => RunAsync(
        "mongodb", modules => [Script("node-driver.js"), gateway.ConnectionString, "node" + Guid.NewGuid().ToString("N")], checks: 12);

    [Fact]
    public Task The_shell_passes_its_script() => RunAsync(
        "mongosh",
        modules => [Path.Combine(modules, "mongosh", "bin", "mongosh.js"), gateway.ConnectionString, "--quiet", "--norc", "--file", Script("mongosh.js")],
        checks: 8);

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Gateway", "Scripts", name);

    private async Task RunAsync(string package, Func<string, string[]> arguments, int checks)
    {
        gateway.Require();
        var modules = Path.Combine(Tools, "node_modules");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(modules, package)), $"The npm package '{package}' is missing in {Tools}: run './platform setup'.");

        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("node", arguments(modules))
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["NODE_PATH"] = modules,
                    ["PLATFORM_DATABASE"] = "shell" + Guid.NewGuid().ToString("N"),
                    // The shell keeps its history and settings under the home directory; a test leaves nothing there.
                    ["HOME"] = Directory.CreateTempSubdirectory("shell-").FullName,
                },
            },
        };
        process.Start();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(s_patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }

            Directory.Delete(process.StartInfo.Environment["HOME"]!, recursive: true);
        }

        Assert.True(process.ExitCode == 0, $"{package} ended with {process.ExitCode}:{Environment.NewLine}{await output}{await errors}");
        Assert.Equal(checks, (await output).Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
    }
}
