using System.Globalization;
using System.Net;
using Platform.SecurityTool.Stack;

namespace Platform.SecurityTool.Checks;

/// <summary>What has to hold on the machine on which the stack runs.</summary>
internal static class MachineChecks
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const int MostEvidence = 20;

    public static IReadOnlyList<SecurityCheck> All { get; } =
    [
        new(
            "loopback", "All ports of the stack are open to this machine alone",
            "What is meant for one developer is offered to the whole network.",
            "Leave addresses at localhost; a server that others are to reach stands behind a firewall or a proxy.",
            "CIS MongoDB 7, 2.2; Redis manual, Security: Network security", LoopbackAsync),
        new(
            "file-modes", "Data, keys and passwords on the disk can be read by their owner alone",
            "Every user of the machine reads what the servers guard.",
            "chmod -R go= .platform",
            "CIS MongoDB 7, 7.1 and 7.2", FileModesAsync),
        new(
            "process-arguments", "No password stands among the arguments of a process",
            "Every user of the machine sees the arguments of all processes.",
            "Hand secrets over by environment variables or files.",
            "OWASP, Secrets management", ProcessArgumentsAsync),
        new(
            "logs", "No password stands in a log",
            "Logs are kept, copied and sent to others.",
            "Find what wrote it, and change the password.",
            "OWASP, Logging", LogsAsync),
    ];

    private static Task<CheckOutcome> LoopbackAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || stack.Process is not { } first)
        {
            return Task.FromResult(CheckOutcome.NotApplicable("The processes of a stack are known on Linux only."));
        }

        var open = ProcessTable.Read().OfStack(first, stack.Mark)
            .SelectMany(process => ListeningSockets.Of(process.Id).Select(socket => (process, socket)))
            .ToList();
        var against = open.Where(entry => !IPAddress.IsLoopback(entry.socket.Address))
            .Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.process.Name} ({entry.process.Id}) listens on {entry.socket}."));
        return Task.FromResult(open.Count == 0
            ? new CheckOutcome(CheckVerdict.Unknown, [$"No port of process {first.ToString(CultureInfo.InvariantCulture)} and those that it started is seen."])
            : CheckOutcome.Of([.. against.Distinct()], Counted.Of(open.Count, "port")));
    }

    private static Task<CheckOutcome> FileModesAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            return Task.FromResult(CheckOutcome.NotApplicable("Windows has no modes of files; what is in the user's profile is the user's."));
        }

        var against = new List<string>();
        var seen = 0;
        foreach (var top in stack.Directories.Where(Directory.Exists))
        {
            Look(top);
        }

        return Task.FromResult(CheckOutcome.Of(
            against, string.Create(CultureInfo.InvariantCulture, $"{seen} files and directories, and what is below those that only their owner enters")));

        // What is below a directory that others cannot enter is out of their reach, whatever its own mode says; keys have to be closed by themselves as well.
        void Look(string directory)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var closed = (File.GetUnixFileMode(directory) & Others) == 0;
            foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos())
            {
                if (entry.LinkTarget is not null)
                {
                    continue;
                }

                if (entry is DirectoryInfo)
                {
                    if (!closed || RunningStack.HasKeys(entry.FullName))
                    {
                        seen++;
                        Look(entry.FullName);
                    }
                }
                else if ((!closed || RunningStack.IsKey(entry.FullName)) && against.Count < MostEvidence)
                {
                    seen++;
                    if ((entry.UnixFileMode & Others) != 0)
                    {
                        against.Add($"{entry.FullName} can be read or changed by others: its mode is {Convert.ToString((int)entry.UnixFileMode, 8)}.");
                    }
                }
            }
        }
    }

    private static Task<CheckOutcome> ProcessArgumentsAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Task.FromResult(CheckOutcome.NotApplicable("The arguments of processes are looked at on Linux only."));
        }

        var processes = ProcessTable.Read().All;
        var against = processes.Where(process => stack.HasSecret(process.CommandLine))
            .Select(process => string.Create(CultureInfo.InvariantCulture, $"{process.Name} ({process.Id}) has a password of the stack among its arguments."));
        return Task.FromResult(CheckOutcome.Of([.. against], Counted.Of(processes.Count, "argument list")));
    }

    private static async Task<CheckOutcome> LogsAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        var against = new List<string>();
        var logs = stack.Logs().ToList();
        foreach (var log in logs)
        {
            var number = 0L;
            using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            while (await reader.ReadLineAsync(cancellationToken) is { } line)
            {
                number++;
                if (stack.HasSecret(line) && against.Count < MostEvidence)
                {
                    against.Add(string.Create(CultureInfo.InvariantCulture, $"{log}, line {number}, has a password of the stack."));
                }
            }
        }

        return logs.Count == 0 ? CheckOutcome.NotApplicable("The stack writes no logs beside its stack file.")
            : CheckOutcome.Of(against, Counted.Of(logs.Count, "log"));
    }
}
