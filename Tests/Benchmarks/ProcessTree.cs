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

    /*  /proc/N/stat: number (name) state parent ...; the name may contain anything. Null when the process has ended.  */
    private static string[]? Fields(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
