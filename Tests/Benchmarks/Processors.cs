using System.Globalization;
using System.Runtime.InteropServices;

namespace Platform.Benchmarks;

/// <summary>Which processors this process and everything it started may use.</summary>
internal static partial class Processors
{
    /// <summary>Puts all threads of this process and of its descendants onto the first processor, until the result is disposed.</summary>
    public static IDisposable UseOne()
    {
        Set(1);
        return new All();
    }

    private static void Set(ulong mask)
    {
        foreach (var process in Family())
        {
            foreach (var thread in Numbers($"/proc/{process}/task"))
            {
                // A thread that ended in between needs none.
                _ = SetAffinity(thread, sizeof(ulong), mask);
            }
        }
    }

    private static List<int> Family()
    {
        var parents = Numbers("/proc").Select(process => (Process: process, Parent: ParentOf(process))).ToList();
        List<int> family = [Environment.ProcessId];
        for (var i = 0; i < family.Count; i++)
        {
            family.AddRange(parents.Where(p => p.Parent == family[i]).Select(p => p.Process));
        }

        return family;
    }

    /*  /proc/N/stat: number (name) state parent ...; the name may contain anything  */
    private static int ParentOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It ended.
            return 0;
        }
    }

    private static List<int> Numbers(string directory)
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

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint size, in ulong mask);

    private sealed class All : IDisposable
    {
        public void Dispose() => Set(Environment.ProcessorCount >= 64 ? ulong.MaxValue : (1UL << Environment.ProcessorCount) - 1);
    }
}
