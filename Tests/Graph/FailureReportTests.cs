using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Platform.AppHost.Services;
using Platform.AppHost.Stack;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>Who learns of a failure, and where.</summary>
public sealed class FailureReportTests
{
    private const string Sentence = "job ended with exit code 3.";
    private const string WithReason = $"{Sentence} It said: the cellar is flooded";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_cause_is_told_on_the_console_and_on_all_that_use_it_until_it_is_mended()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Runs shells.");
        var mended = Path.Combine(Path.GetTempPath(), $"mended-{Guid.NewGuid():N}");
        using var log = new ErrorLog();
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { AssemblyName = "Platform.AppHost", DisableDashboard = true });
        builder.Services.AddLogging(logging => logging.ClearProviders().AddProvider(log));
        // In red, as programs write on consoles.
        var job = Shell(builder, "job", $"test -e {mended} && exit 0; printf '\\033[31mthe cellar is flooded\\033[0m\\n' >&2; exit 3")
            .WithAnnotation(new JobAnnotation());
        var api = Shell(builder, "api", "exec sleep 600").WaitForCompletion(job);
        // Waits for as long as it takes, as everything does where there is a dashboard, and the start of the graph with it.
        Shell(builder, "patient", "exec sleep 600").WaitFor(api, WaitBehavior.WaitOnResourceUnavailable);
        Shell(builder, "other", "exec sleep 600");
        await using var app = builder.ReportFailures().StopInOrder().Build();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var starting = app.StartAsync(enough.Token);
        try
        {
            foreach (var name in (string[])["job", "api", "patient"])
            {
                await UntilCauseAsync(app, name, WithReason);
            }

            Assert.False(starting.IsCompleted);

            Assert.True(app.ResourceNotifications.TryGetCurrentState("other", out var other));
            Assert.Null(other.Snapshot.FirstCause());
            Assert.Equal(
                $"{Sentence} The last lines of its console:{Environment.NewLine}  the cellar is flooded",
                Assert.Single(log.Entries, line => line.StartsWith(Sentence, StringComparison.Ordinal)).TrimEnd());
            Assert.Contains($"First cause: {WithReason}", await ConsoleOf(app, "api"), StringComparison.Ordinal);

            await File.WriteAllTextAsync(mended, "", Token);
            await app.Services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync("job", KnownResourceCommands.StartCommand, Token);
            await UntilCauseAsync(app, "job", expected: null);
        }
        finally
        {
            File.Delete(mended);
            await enough.CancelAsync();
            await starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            await app.StopAsync(Token);
        }
    }

    private static Task<ResourceEvent> UntilCauseAsync(DistributedApplication app, string resource, string? expected)
        => app.ResourceNotifications.WaitForResourceAsync(resource, change => change.Snapshot.FirstCause() == expected, Token).WaitAsync(s_patience, Token);

    private static async Task<string> ConsoleOf(DistributedApplication app, string resource)
    {
        var consoles = app.Services.GetRequiredService<ResourceLoggerService>();
        Assert.True(app.ResourceNotifications.TryGetCurrentState(resource, out var current));
        var lines = new List<string>();
        await foreach (var batch in consoles.GetAllAsync(current.ResourceId).WithCancellation(Token))
        {
            lines.AddRange(batch.Select(line => line.Content));
        }

        return string.Join('\n', lines);
    }

    private static IResourceBuilder<ExecutableResource> Shell(IDistributedApplicationBuilder builder, string name, string script)
        => builder.AddExecutable(name, "sh", ".", "-c", script);
}
