using Xunit;

namespace Platform.Tests.Integration;

public sealed class ShutdownTests
{
    [Fact(Timeout = 240_000)]
    public async Task A_second_stack_runs_beside_the_first_and_leaves_no_process_when_it_stops()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        var cancellationToken = TestContext.Current.CancellationToken;

        string mark;
        await using (var stack = new TestStack())
        {
            mark = stack.DataDirectory;
            await stack.StartAsync(cancellationToken);
            Assert.NotEmpty(ProcessesOf(mark));
        }

        Assert.Empty(ProcessesOf(mark));
    }

    private static List<string> ProcessesOf(string stack)
    {
        var found = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(IsOtherProcess))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(process, "environ")).Split('\0').Contains($"{TestStack.Mark}={stack}"))
                {
                    found.Add(File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' '));
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It ended while it was looked at, or is another user's.
            }
        }

        return found;
    }

    private static bool IsOtherProcess(string directory)
        => int.TryParse(Path.GetFileName(directory), out var id) && id != Environment.ProcessId;
}
