using System.Diagnostics;
using Platform.AppHost.Settings;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>
/// A container image made of this machine's own files, without a registry: Redis of the server image, and beside the real mongosh a <c>mongod</c> that is the
/// scripted one. It is removed in the end.
/// </summary>
internal sealed class ContainerImage : IAsyncDisposable
{
    // The files come from two directories, and each once: a layer has no path twice. What is not needed stays away.
    private const string Import =
        """
        set -e
        tar -c --numeric-owner --owner=0 --group=0 --exclude=./usr/lib/postgresql --exclude=./usr/share/doc --exclude=./usr/share/locale --exclude=./opt \
            -C "$1" . -C "$2" opt usr/local/bin/mongod usr/local/bin/mongosh usr/local/bin/node |
          "$3" import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' --change 'CMD ["/bin/bash"]' - "$4"
        """;

    private ContainerImage(string runtime, string name) => (Runtime, Name) = (runtime, name);

    /// <summary>The program of the container runtime.</summary>
    public string Runtime { get; }

    /// <summary>What the image is called.</summary>
    public string Name { get; }

    /// <summary>Makes the image, or skips the test where no container runtime answers.</summary>
    public static async Task<ContainerImage> MakeAsync(CancellationToken cancellationToken)
    {
        var runtime = Machine.Here.FindContainerRuntime();
        Assert.SkipUnless(OperatingSystem.IsLinux() && runtime.Answers, $"The image is made by a container runtime of Linux: {runtime}.");
        Assert.SkipWhen(ServerImage.WhyUnavailable() is not null, ServerImage.WhyUnavailable() ?? "");
        NodeTools.Require("mongosh");

        var files = Directory.CreateTempSubdirectory("container-image-");
        try
        {
            var kit = Path.GetFullPath(Path.Combine(
                AppContext.BaseDirectory, "..", "..", "TestKit", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory))));
            var runtimes = new DirectoryInfo(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory()).Parent!.Parent!.Parent!.FullName;
            foreach (var (from, to) in ((string, string)[])
                [
                    (kit, "opt/testkit"), (NodeTools.Modules, "opt/node_modules"), (Path.Combine(runtimes, "host"), "opt/dotnet/host"),
                    (Path.Combine(runtimes, "shared"), "opt/dotnet/shared"), (await WhichAsync("node", cancellationToken), "usr/local/bin/node"),
                ])
            {
                var target = Path.Combine(files.FullName, to);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                await RunAsync("cp", ["-a", "-L", "--reflink=auto", from, target], cancellationToken);
            }

            await ProgramAsync(files, "mongod", "export DOTNET_ROOT=/opt/dotnet; exec /opt/testkit/Platform.Tests.TestKit mongod \"$@\"", cancellationToken);
            await ProgramAsync(files, "mongosh", "export HOME=/tmp; exec node /opt/node_modules/mongosh/bin/mongosh.js \"$@\"", cancellationToken);
            var image = new ContainerImage(runtime.Program!, $"localhost/platform-test:{Guid.NewGuid():N}");
            await RunAsync("bash", ["-c", Import, "import", ServerImage.Directory, files.FullName, image.Runtime, image.Name], cancellationToken);
            return image;
        }
        finally
        {
            files.Delete(recursive: true);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await RunAsync(Runtime, ["rmi", "--force", Name], CancellationToken.None);

    private static async Task<string> WhichAsync(string program, CancellationToken cancellationToken)
        => (await RunAsync("sh", ["-c", $"readlink -f \"$(command -v {program})\""], cancellationToken)).Trim();

    private static async Task ProgramAsync(DirectoryInfo files, string name, string script, CancellationToken cancellationToken)
    {
        var file = Path.Combine(files.FullName, "usr", "local", "bin", name);
        await File.WriteAllTextAsync(file, $"#!/bin/sh\n{script}\n", cancellationToken);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
        }
    }

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var result = await ProgramResult.OfAsync(new ProcessStartInfo(program, arguments), cancellationToken);
        return result.ExitCode == 0 ? result.Output : throw new InvalidOperationException($"{program} {arguments[0]}: {result.Errors.Trim()}");
    }
}
