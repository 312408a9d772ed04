using System.Diagnostics;
using Platform.AppHost.Settings;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>Asking for a container runtime, with clients that are scripts.</summary>
public sealed class ContainerRuntimeTests : IDisposable
{
    private readonly DirectoryInfo _programs = Directory.CreateTempSubdirectory("runtimes-");

    /// <summary>Scripts stand for the clients.</summary>
    public ContainerRuntimeTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Writes shell scripts.");

    /// <inheritdoc/>
    public void Dispose() => _programs.Delete(recursive: true);

    [Fact]
    public void None_that_is_installed_is_told_without_a_reason() => Assert.Equal("no container runtime answers", Find(5).ToString());

    [Fact]
    public void The_first_that_answers_is_taken_without_waiting_for_one_that_hangs()
    {
        Client("docker", "exec sleep 60");
        Client("podman", "exit 0");
        var since = Stopwatch.GetTimestamp();

        Assert.Equal("podman answers", Find(60).ToString());
        Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(30), "It waited for the one that hangs.");
    }

    [Fact]
    public void One_that_hangs_and_one_that_is_not_running_are_both_named()
    {
        Client("docker", "exec sleep 60");
        Client("podman", "echo 'Cannot connect to Podman' >&2; exit 125");

        var obstacle = Find(0.5).ToString();

        Assert.Contains("docker did not answer within 0.5 s", obstacle, StringComparison.Ordinal);
        Assert.Contains("podman is installed, but is not running", obstacle, StringComparison.Ordinal);
    }

    [Fact]
    public void The_one_that_Aspire_is_told_to_use_is_the_only_one_that_is_asked()
    {
        Client("docker", "exit 0");
        Client("podman", "exit 1");

        Assert.Equal("no container runtime answers (podman is installed, but is not running)", Find(20, wanted: "podman").ToString());
    }

    [Fact]
    public void A_flood_of_output_does_not_block_the_answer()
    {
        Client("docker", "head -c 2000000 /dev/zero | tr '\\0' x; echo");

        Assert.Equal("docker answers", Find(20).ToString());
    }

    private ContainerRuntime Find(double seconds, string? wanted = null)
        => ContainerRuntime.Find(
            program => Path.Combine(_programs.FullName, program) is var path && File.Exists(path) ? path : null,
            wanted,
            TimeSpan.FromSeconds(seconds));

    private void Client(string name, string script)
    {
        var file = Path.Combine(_programs.FullName, name);
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
