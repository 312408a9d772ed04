using System.Diagnostics;

namespace Platform.AppHost.Settings;

/// <summary>What a machine has that an engine needs.</summary>
/// <param name="FindContainerRuntime">Asks for a container runtime. Takes some seconds where one hangs.</param>
/// <param name="HasProgram">Whether a program is on the PATH.</param>
/// <param name="IsLinux">Whether it is Linux, which the servers of this machine need.</param>
internal sealed record Machine(Func<ContainerRuntime> FindContainerRuntime, Func<string, bool> HasProgram, bool IsLinux)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>The machine that this process runs on.</summary>
    public static Machine Here { get; } = new(
        () => ContainerRuntime.Find(
            Locate,
            // By these Aspire is told which runtime to use.
            Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME")
                ?? Environment.GetEnvironmentVariable("DOTNET_ASPIRE_CONTAINER_RUNTIME"),
            ContainerRuntime.Patience),
        program => Locate(program) is not null,
        OperatingSystem.IsLinux())
    {
        WhyNotEncrypt = AskScript,
    };

    /// <summary>
    /// Why PostgreSQL's data cannot be kept encrypted here, in a sentence without its full stop; null: it can. It is asked with the directory of the scripts
    /// and the server image.
    /// </summary>
    public Func<string, string, string?> WhyNotEncrypt { get; init; } = static (_, _) => null;

    // A mount in a sandbox, which takes a quarter of a second.
    private static string? AskScript(string scripts, string image)
    {
        using var script = Process.Start(new ProcessStartInfo(Path.Combine(scripts, "can-encrypt"), [image]) { RedirectStandardOutput = true })
            ?? throw new DistributedApplicationException("The script can-encrypt did not start.");
        var said = script.StandardOutput.ReadToEndAsync();
        if (!script.WaitForExit(s_patience))
        {
            script.Kill(entireProcessTree: true);
            return $"a try to mount an encrypted directory did not end within {s_patience.TotalSeconds:0} s";
        }

        var sentence = said.GetAwaiter().GetResult().Trim().ReplaceLineEndings(" ");
        return script.ExitCode == 0 ? null : sentence.Length > 0 ? sentence : $"a try to mount an encrypted directory failed with exit code {script.ExitCode}";
    }

    private static string? Locate(string program)
        => (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, OperatingSystem.IsWindows() ? $"{program}.exe" : program))
            .FirstOrDefault(File.Exists);
}
