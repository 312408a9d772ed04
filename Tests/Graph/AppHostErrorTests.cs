using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>Starts of the AppHost that cannot succeed: each ends at once, with one sentence.</summary>
public sealed class AppHostErrorTests
{
    // Built beside the tests, in the same configuration.
    private static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "AppHost", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Platform.AppHost"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Containers_without_a_container_runtime_end_with_the_way_out()
    {
        // No docker and no podman is found there, whatever this machine has.
        var nothing = Directory.CreateTempSubdirectory("no-programs-");
        try
        {
            var (exitCode, errors) = await StartAsync(["--Platform:Engine=containers"], path: nothing.FullName);

            Assert.Equal(
                (1, "AppHost: Platform:Engine is 'containers', but no container runtime answers: start Docker or Podman, or use "
                    + "--Platform:Engine=documentdb.\n"),
                (exitCode, errors));
        }
        finally
        {
            nothing.Delete();
        }
    }

    [Fact]
    public async Task A_taken_port_of_the_API_ends_with_its_setting()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var (exitCode, errors) = await StartAsync([$"--Platform:ApiPort={port}", "--Platform:Engine=documentdb"]);

        Assert.Equal(
            (1, $"AppHost: Platform:ApiPort is {port}, but another program listens there: end that program or choose another port.\n"),
            (exitCode, errors));
    }

    [Fact]
    public async Task An_interruption_while_the_graph_starts_is_no_error()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends a signal.");
        var data = Directory.CreateTempSubdirectory("platform-test-");
        try
        {
            var start = Starting(
                ["--Platform:Engine=external", "--ConnectionStrings:platform=mongodb://127.0.0.1:1/", "--ConnectionStrings:cache=127.0.0.1:1",
                    "--Platform:ApiPort=", $"--Platform:StackFile={Path.Combine(data.FullName, "stack")}"]);
            start.RedirectStandardOutput = start.RedirectStandardError = true;
            using var process = Process.Start(start)!;
            var output = new System.Text.StringBuilder();
            // The graph cannot become ready, so it is still starting whenever the signal comes.
            while (await process.StandardOutput.ReadLineAsync(Token) is { } line)
            {
                output.AppendLine(line);
                if (line.Contains("Distributed application starting.", StringComparison.Ordinal))
                {
                    await ProgramResult.OfAsync(new ProcessStartInfo("kill", ["-TERM", $"{process.Id}"]), Token);
                }
            }

            var errors = await process.StandardError.ReadToEndAsync(Token);
            await process.WaitForExitAsync(Token);
            Assert.Equal((0, ""), (process.ExitCode, errors));
            Assert.EndsWith("Interrupted while starting; what had started is stopped.", output.ToString().TrimEnd(), StringComparison.Ordinal);
            Assert.DoesNotContain("Exception", output.ToString(), StringComparison.Ordinal);
            Assert.Contains("state=stopped", await File.ReadAllLinesAsync(Path.Combine(data.FullName, "stack"), Token));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task<(int ExitCode, string Errors)> StartAsync(string[] arguments, string? path = null)
    {
        var start = Starting(arguments);
        if (path is not null)
        {
            // The runtime is looked for there first, and else where it is installed.
            start.Environment.TryAdd("DOTNET_ROOT", Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")));
            start.Environment["PATH"] = path;
        }

        var (exitCode, _, errors) = await ProgramResult.OfAsync(start, Token);
        return (exitCode, errors);
    }

    private static ProcessStartInfo Starting(string[] arguments) => new(Program, arguments)
    {
        Environment =
        {
            ["DOTNET_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
            [TestStack.Mark] = null,
        },
    };
}
