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

    private static async Task<(int ExitCode, string Errors)> StartAsync(string[] arguments, string? path = null)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            Environment =
            {
                ["DOTNET_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
                [TestStack.Mark] = null,
            },
        };
        if (path is not null)
        {
            // The runtime is looked for there first, and else where it is installed.
            start.Environment.TryAdd("DOTNET_ROOT", Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")));
            start.Environment["PATH"] = path;
        }

        var (exitCode, _, errors) = await ProgramResult.OfAsync(start, Token);
        return (exitCode, errors);
    }
}
