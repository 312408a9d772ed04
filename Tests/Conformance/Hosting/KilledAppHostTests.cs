using System.Diagnostics;
using Xunit;

namespace Platform.Tests.Conformance.Hosting;

/// <summary>What becomes of a graph whose AppHost is killed without a chance to stop it.</summary>
public sealed class KilledAppHostTests
{
    private const string Mark = "PLATFORM_TEST_KILLED_APPHOST";

    // Its own output, in the same configuration: the copy beside the tests has the tests' dependencies.
    private static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "SmallAppHost", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Platform.Tests.SmallAppHost"));

    [Fact(Timeout = 120_000)]
    public async Task No_process_is_left_fifteen_seconds_after_the_AppHost_was_killed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        var cancellationToken = TestContext.Current.CancellationToken;
        var mark = Guid.NewGuid().ToString("N");
        var start = new ProcessStartInfo(Program)
        {
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Mark] = mark;
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        using var appHost = Process.Start(start)!;
        appHost.OutputDataReceived += (_, line) => TestContext.Current.SendDiagnosticMessage(line.Data ?? "");
        appHost.BeginOutputReadLine();
        appHost.BeginErrorReadLine();
        try
        {
            // The graph's own server runs, so the orchestrator does.
            await UntilAsync(
                () => appHost.HasExited
                    ? throw new InvalidOperationException($"The AppHost ended with exit code {appHost.ExitCode}.")
                    : MarkedProcesses.Find(Mark, mark).Values.Any(command => command.Contains("sleep 600", StringComparison.Ordinal)),
                TimeSpan.FromSeconds(60), cancellationToken);

            appHost.Kill();
            await appHost.WaitForExitAsync(cancellationToken);
            var killed = Stopwatch.StartNew();
            await UntilAsync(() => MarkedProcesses.Find(Mark, mark).Count == 0, TimeSpan.FromSeconds(60), cancellationToken);

            Assert.True(killed.Elapsed < TimeSpan.FromSeconds(15), $"The last process ended after {killed.Elapsed.TotalSeconds:0.0} s.");
        }
        finally
        {
            if (!appHost.HasExited)
            {
                appHost.Kill(entireProcessTree: true);
            }
        }
    }

    private static async Task UntilAsync(Func<bool> condition, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var watch = Stopwatch.StartNew(); !condition(); await timer.WaitForNextTickAsync(cancellationToken))
        {
            Assert.True(watch.Elapsed < limit, $"Not so within {limit.TotalSeconds:0} s.");
        }
    }
}
