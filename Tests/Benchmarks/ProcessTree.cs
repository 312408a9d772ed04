using System.Globalization;

namespace Platform.Benchmarks;

/// <summary>A process and everything that it started, as Linux tells of them.</summary>
internal static class ProcessTree
{
    // USER_HZ, which is the same on every Linux: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    private const double TicksPerSecond = 100;

    /// <summary>The processes that a process started, those that these started, and itself.</summary>
    /// <param name="root">The process.</param>
    public static IReadOnlyList<int> Of(int root)
    {
        var parents = Numbers("/proc").Select(process => (Process: process, Parent: ParentOf(process))).ToList();
        List<int> family = [root];
        for (var i = 0; i < family.Count; i++)
        {
            family.AddRange(parents.Where(p => p.Parent == family[i]).Select(p => p.Process));
        }

        return family;
    }

    /// <summary>The processor time that processes, all that they started, and those of these that have ended, used so far.</summary>
    /// <param name="roots">The processes.</param>
    public static TimeSpan ProcessorTime(IEnumerable<int> roots) =>
        TimeSpan.FromSeconds(roots.SelectMany(Of).Distinct().Sum(process => Fields(process) is { } fields
            // utime, stime, and the same of children that ended
            ? fields[11..15].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture))
            : 0) / TicksPerSecond);

    /// <summary>The processes that have an entry in their environment, and all that they started, which may have another one.</summary>
    /// <param name="entry">The entry, as <c>NAME=value</c>.</param>
    public static IReadOnlyList<int> Marked(string entry) =>
        [.. Numbers("/proc").Where(process => (Read($"/proc/{process}/environ") ?? "").Split('\0').Contains(entry)).SelectMany(Of).Distinct()];

    /// <summary>The memory of processes by program, in MiB; what several share is divided among them, so that all together are what is used.</summary>
    /// <param name="processes">The processes.</param>
    public static IReadOnlyList<(string Program, double Mebibytes)> Memory(IEnumerable<int> processes) =>
    [
        .. processes
            .Select(process => (Program: Read($"/proc/{process}/comm")?.Trim() ?? "", Memory: Read($"/proc/{process}/smaps_rollup")))
            .Where(process => process.Memory is not null)
            .GroupBy(process => process.Program, process => process.Memory!.Split('\n').First(line => line.StartsWith("Pss:", StringComparison.Ordinal)))
            .Select(program => (program.Key, program.Sum(line => double.Parse(line[4..^2], CultureInfo.InvariantCulture)) / 1024))
            .OrderByDescending(program => program.Item2),
    ];

    /// <summary>The entries of a directory that are numbers.</summary>
    /// <param name="directory">The directory, which may be gone.</param>
    public static IReadOnlyList<int> Numbers(string directory)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(directory)
                .Select(Path.GetFileName)
                .Where(n => int.TryParse(n, out _))
                .Select(n => int.Parse(n!, CultureInfo.InvariantCulture))];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static int ParentOf(int process) => Fields(process) is { } fields ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;

    // /proc/N/stat: number (name) state parent ...; the name may contain anything. Null when the process has ended.
    private static string[]? Fields(int process) =>
        Read($"/proc/{process}/stat") is { } stat ? stat[(stat.LastIndexOf(')') + 2)..].Split(' ') : null;

    // Null when the process has ended, or is somebody else's.
    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
