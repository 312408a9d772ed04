using System.Diagnostics;

namespace Platform.AppHost.Settings;

/// <summary>What a machine has that an engine needs.</summary>
/// <param name="RunsContainers">Whether a container runtime answers. Takes up to ten seconds where one hangs.</param>
/// <param name="HasProgram">Whether a program is on the PATH.</param>
internal sealed record Machine(Func<bool> RunsContainers, Func<string, bool> HasProgram)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>The machine that this process runs on.</summary>
    // The client alone proves nothing: it is installed on machines where no runtime is at work.
    public static Machine Here { get; } = new(
        () => Answers("docker", "version") || Answers("podman", "info"), IsOnPath);

    private static bool IsOnPath(string program)
        => (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(directory => File.Exists(Path.Combine(directory, program)));

    private static bool Answers(string command, string argument)
    {
        var start = new ProcessStartInfo(command, [argument])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            // Drained, so that a full pipe cannot block the client.
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (process.WaitForExit(s_patience))
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
