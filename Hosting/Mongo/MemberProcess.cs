using System.Diagnostics;

namespace Platform.Hosting.Mongo;

/// <summary>Kills the process of a member, which then has no time for a good-bye.</summary>
internal static class MemberProcess
{
    // The kernel cuts the name of a process after as many characters.
    private const int LongestName = 15;

    /// <summary>Kills a process of this machine.</summary>
    /// <param name="id">The id that a member has told.</param>
    /// <param name="program">What a member runs: whatever else has the id, it is left alone.</param>
    /// <param name="dataDirectory">Where the members of the graph have their data: who has it elsewhere is another graph's.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="InvalidOperationException">No member has this id.</exception>
    public static Task KillAsync(int id, string program, string dataDirectory, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var process = Process.GetProcessById(id);
            var name = process.ProcessName;
            if (program != name && !(name.Length == LongestName && program.StartsWith(name, StringComparison.Ordinal)))
            {
                throw new InvalidOperationException($"Process {id} of this machine is '{name}' and no member.");
            }

            if (OperatingSystem.IsLinux() && !Mentions(id, dataDirectory))
            {
                throw new InvalidOperationException($"Process {id} of this machine is a member of another replica set.");
            }

            process.Kill();
            return Task.CompletedTask;
        }
        catch (ArgumentException)
        {
            throw new InvalidOperationException($"Process {id} does not run on this machine.");
        }
    }

    /// <summary>Kills a process in the container in which all members run.</summary>
    /// <exception cref="InvalidOperationException">The container runtime did not do it.</exception>
    public static async Task KillInContainerAsync(
        MongoReplicaSetResource mongo, int id, ResourceNotificationService notifications, CancellationToken cancellationToken)
    {
        var container = mongo.Servers.Select(server => IdOf(server, notifications)).FirstOrDefault(found => found is not null)
            ?? throw new InvalidOperationException("The container of the members does not run.");
        var failures = new List<string>();
        foreach (var runtime in (string[])["docker", "podman"])
        {
            var start = new ProcessStartInfo(
                runtime, ["exec", container, "bash", "-c", FormattableString.Invariant($"kill -KILL {id}")])
            {
                RedirectStandardError = true, RedirectStandardOutput = true,
            };
            try
            {
                using var process = Process.Start(start)!;
                var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
                await output;
                await process.WaitForExitAsync(cancellationToken);
                if (process.ExitCode == 0)
                {
                    return;
                }

                failures.Add($"{runtime}: {errors.Trim()}");
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // Not installed.
            }
        }

        throw new InvalidOperationException($"The container runtime did not kill the process: {string.Join("; ", failures)}.");
    }

    // A gateway has it in its environment, a mongod in its command line. What cannot be read is not ours.
    private static bool Mentions(int id, string directory)
    {
        try
        {
            return ((string[])["environ", "cmdline"]).SelectMany(file => File.ReadAllText($"/proc/{id}/{file}").Split('\0'))
                .Any(text => text[(text.IndexOf('=', StringComparison.Ordinal) + 1)..].StartsWith(directory + "/", StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? IdOf(IResource server, ResourceNotificationService notifications)
        => notifications.TryGetCurrentState(server.Name, out var current)
            ? current.Snapshot.Properties.FirstOrDefault(property => property.Name == "container.id")?.Value as string
            : null;
}
