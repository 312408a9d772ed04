using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using Xunit;
using Xunit.v3;

namespace Platform.Tests.TestKit;

/// <summary>
/// Gives every test of an assembly five minutes, or what its <see cref="MinutesAttribute"/> says. A test that takes longer is cancelled, and fails by its
/// own name; when it does not end even then, the process ends and names it. Without this a test that waits forever ends the whole run without a word.
/// </summary>
/// <remarks>The time of a fixture counts too: the process also ends when no test runs, and none began or ended for ten minutes.</remarks>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TimeLimitAttribute : BeforeAfterTestAttribute
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_grace = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(5);

    private static readonly ConcurrentDictionary<string, Running> s_running = [];
    private static readonly Timer s_watch = new(_ => Look(), null, s_look, s_look);
    private static long s_lastStep = Stopwatch.GetTimestamp();
    private static string s_lastTest = "none";

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        ArgumentNullException.ThrowIfNull(methodUnderTest);
        ArgumentNullException.ThrowIfNull(test);
        s_running[test.UniqueID] = new Running(
            test.TestDisplayName,
            TestContext.Current,
            methodUnderTest.GetCustomAttribute<MinutesAttribute>() is { } own ? TimeSpan.FromMinutes(own.Limit) : s_limit,
            Stopwatch.GetTimestamp());
        Step(test.TestDisplayName);
    }

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        ArgumentNullException.ThrowIfNull(test);
        s_running.TryRemove(test.UniqueID, out _);
        Step(test.TestDisplayName);
    }

    private static void Step(string test)
    {
        Volatile.Write(ref s_lastStep, Stopwatch.GetTimestamp());
        Volatile.Write(ref s_lastTest, test);
    }

    private static void Look()
    {
        foreach (var (id, test) in s_running)
        {
            var elapsed = Stopwatch.GetElapsedTime(test.Began);
            if (elapsed > test.Limit + s_grace)
            {
                End($"The test {test.Name} was cancelled after {test.Limit.TotalMinutes} minutes and did not end.");
            }
            else if (elapsed > test.Limit && !test.IsCancelled)
            {
                s_running.TryUpdate(id, test with { IsCancelled = true }, test);
                Console.Error.WriteLine($"The test {test.Name} is cancelled: it took more than {test.Limit.TotalMinutes} minutes.");
                test.Context.CancelCurrentTest();
            }
        }

        if (s_running.IsEmpty && Stopwatch.GetElapsedTime(Volatile.Read(ref s_lastStep)) > s_silence)
        {
            End($"No test ran, began or ended for {s_silence.TotalMinutes} minutes; the last one was {Volatile.Read(ref s_lastTest)}.");
        }
    }

    // Without finalizers and handlers: what hangs could hang them too.
    private static void End(string reason)
    {
        s_watch.Dispose();
        Environment.FailFast(reason);
    }

    private sealed record Running(string Name, ITestContext Context, TimeSpan Limit, long Began, bool IsCancelled = false);
}
