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
        foreach (var process in ProcessTree.Of(Environment.ProcessId))
        {
            foreach (var thread in ProcessTree.Numbers($"/proc/{process}/task"))
            {
                // A thread that ended in between needs none.
                _ = SetAffinity(thread, sizeof(ulong), mask);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint size, in ulong mask);

    private sealed class All : IDisposable
    {
        public void Dispose() => Set(Environment.ProcessorCount >= 64 ? ulong.MaxValue : (1UL << Environment.ProcessorCount) - 1);
    }
}
