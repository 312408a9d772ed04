using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Platform.AppHost.Settings;
using Platform.Hosting.Mongo;
using Xunit;

namespace Platform.Tests.Graph;

[Collection(TestCollections.Cache)]
public sealed class ShutdownTests
{
    [Fact(Timeout = 290_000)]
    public async Task A_second_stack_runs_beside_the_first_leaves_no_process_and_starts_again_on_its_data()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        var cancellationToken = TestContext.Current.CancellationToken;
        var data = Directory.CreateTempSubdirectory("platform-test-");
        // [part backup]
        var hasBackups = EngineChoice.From(Environment.GetEnvironmentVariable("Platform__Engine"), Machine.Here).Engine == Engine.DocumentDb;
        // [end of part]
        var parts = "";
        // [part backup]
        parts = hasBackups ? "backup" : "";
        // [end of part]
        try
        {
            await using (var stack = new TestStack(data.FullName, settings: $"--Platform:Parts={parts}"))
            {
                await stack.StartAsync(cancellationToken);
                // [part backup]
                if (hasBackups)
                {
                    await UntilBackedUpAsync(stack, cancellationToken);
                }

                // [end of part]
                Assert.NotEmpty(MarkedProcesses.Find(TestStack.Mark, data.FullName));

                // Without those that the engine does not have.
                string[] servers =
                    [.. ((string[])[ResourceNames.Api, ResourceNames.Member(1)]).Where(name => Find(stack, name) is not null)];
                var notifications = stack.App.ResourceNotifications; // a stopped application gives none away
                await stack.App.StopAsync(cancellationToken);
                var ends = servers.Select(name => EndOf(notifications, name)).ToList();
                Assert.Equal(ends.Order(), ends);
            }

            await UntilNoProcessIsLeftAsync(data.FullName, cancellationToken);

            await using (var again = new TestStack(data.FullName))
            {
                await again.StartAsync(cancellationToken);
                await WaitForLineAsync(again, ResourceNames.Seeder, "Already seeded", cancellationToken);
                Assert.DoesNotContain(
                    await LinesAsync(again, ResourceNames.Member(1)), line => line.Contains("not properly shut down", StringComparison.Ordinal));
            }
        }
        finally
        {
            await TestStack.RemoveDataAsync(data.FullName);
        }
    }

    // [part backup]
    /// <summary>Waits until the agent of the backups says that the database can be restored.</summary>
    private static async Task UntilBackedUpAsync(TestStack stack, CancellationToken cancellationToken)
    {
        using var agent = stack.App.CreateHttpClient(ResourceNames.Backup, "http");
        var description = "";
        await Wait.UntilAsync(
            async () =>
            {
                using var answer = await agent.GetAsync(new Uri("/health", UriKind.Relative), cancellationToken);
                using var health = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync(cancellationToken));
                var check = health.RootElement.GetProperty("checks").GetProperty("backups");
                description = check.GetProperty("description").GetString()!;
                return check.GetProperty("status").GetString() == "Healthy";
            },
            () => $"the database can be restored: {description}",
            TimeSpan.FromMinutes(1),
            cancellationToken);
    }

    // [end of part]
    // The orchestrator ends by itself, a moment after the application.
    private static Task UntilNoProcessIsLeftAsync(string stack, CancellationToken cancellationToken)
    {
        var left = new Dictionary<int, string>();
        return Wait.UntilAsync(
            () => Task.FromResult((left = MarkedProcesses.Find(TestStack.Mark, stack)).Count == 0),
            () => $"no process is left; there are {string.Join("; ", left.Values)}",
            TimeSpan.FromSeconds(15),
            cancellationToken);
    }

    private static DateTime EndOf(ResourceNotificationService notifications, string resource)
    {
        Assert.True(notifications.TryGetCurrentState(resource, out var state));
        return Assert.NotNull(state.Snapshot.StopTimeStamp);
    }

    // What a process printed last arrives a moment after its end.
    private static async Task WaitForLineAsync(TestStack stack, string resource, string text, CancellationToken cancellationToken)
    {
        var logs = stack.App.Services.GetRequiredService<ResourceLoggerService>();
        await foreach (var batch in logs.WatchAsync(Find(stack, resource)!).WithCancellation(cancellationToken))
        {
            if (batch.Any(line => line.Content.Contains(text, StringComparison.Ordinal)))
            {
                return;
            }
        }

        Assert.Fail($"{resource} never printed '{text}'.");
    }

    // Empty where the engine has no such resource.
    private static async Task<List<string>> LinesAsync(TestStack stack, string resource)
    {
        var lines = new List<string>();
        if (Find(stack, resource) is { } found)
        {
            await foreach (var batch in stack.App.Services.GetRequiredService<ResourceLoggerService>().GetAllAsync(found))
            {
                lines.AddRange(batch.Select(line => line.Content));
            }
        }

        return lines;
    }

    private static IResource? Find(TestStack stack, string name)
        => stack.App.Services.GetRequiredService<DistributedApplicationModel>().Resources.FirstOrDefault(resource => resource.Name == name);
}
