using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Platform.Tests.Integration;

public sealed class ShutdownTests
{
    [Fact(Timeout = 240_000)]
    public async Task A_second_stack_runs_beside_the_first_leaves_no_process_and_starts_again_on_its_data()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        var cancellationToken = TestContext.Current.CancellationToken;
        var data = Directory.CreateTempSubdirectory("platform-test-");
        try
        {
            await using (var stack = new TestStack(data.FullName))
            {
                await stack.StartAsync(cancellationToken);
                Assert.NotEmpty(ProcessesOf(data.FullName));

                // Without those that the engine does not have.
                string[] servers = [.. ((string[])[ResourceNames.Api, ResourceNames.Gateway, ResourceNames.Postgres]).Where(name => Find(stack, name) is not null)];
                var notifications = stack.App.ResourceNotifications; // a stopped application gives none away
                await stack.App.StopAsync(cancellationToken);
                var ends = servers.Select(name => EndOf(notifications, name)).ToList();
                Assert.Equal(ends.Order(), ends);
            }

            Assert.Empty(ProcessesOf(data.FullName));

            await using (var again = new TestStack(data.FullName))
            {
                await again.StartAsync(cancellationToken);
                await WaitForLineAsync(again, ResourceNames.Seeder, "Already seeded", cancellationToken);
                Assert.DoesNotContain(
                    await LinesAsync(again, ResourceNames.Postgres), line => line.Contains("not properly shut down", StringComparison.Ordinal));
            }
        }
        finally
        {
            data.Delete(recursive: true);
        }
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
