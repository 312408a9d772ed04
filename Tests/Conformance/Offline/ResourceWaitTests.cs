using System.Collections.Immutable;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Platform.Tests.Conformance.Offline;

public sealed class ResourceWaitTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wait_for_an_unknown_resource_fails_at_once_and_names_the_known_ones()
    {
        using var graph = new ObservedGraph(new Part("mongo"), new Part("api"));
        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(
            () => graph.Notifications.WaitForResourceAsync("apii", cancellationToken: Token));
        Assert.Equal("There is no resource named 'apii'. The resources are: api, mongo.", failure.Message);
    }

    [Fact]
    public async Task A_cancelled_wait_tells_state_health_and_last_lines_of_the_resource_and_of_what_holds_it_back()
    {
        var database = new Part("mongo").Checked("mongo_check");
        var api = new Part("api").WaitingFor(database);
        using var graph = new ObservedGraph(database, api);
        await graph.PublishStateAsync(database, KnownResourceStates.Running);
        await graph.PublishHealthAsync(database, new HealthReportSnapshot("mongo_check", HealthStatus.Unhealthy, "no primary", null));
        graph.Logs.GetLogger(database).LogInformation("election lost");
        await graph.PublishStateAsync(api, KnownResourceStates.Waiting);
        using var cancel = new CancellationTokenSource();
        var wait = graph.Notifications.WaitForResourceAsync("API", KnownResourceStates.Running, cancel.Token);

        await cancel.CancelAsync();

        var failure = await Assert.ThrowsAsync<OperationCanceledException>(() => wait);
        Assert.Equal(cancel.Token, failure.CancellationToken);
        var lines = failure.Message.Split(Environment.NewLine);
        Assert.Matches(@"^The wait for the resource 'API' to reach the state 'Running' was cancelled after \d+\.\d s\.$", lines[0]);
        Assert.Equal(
            [
                "  api: state Waiting",
                "    no console lines",
                "  which waits for 'mongo':",
                "    mongo: state Running (Unhealthy)",
                "      health check mongo_check: Unhealthy, no primary",
                "      last console lines:",
                "        election lost",
            ],
            lines[1..]);
    }

    [Fact]
    public async Task A_wait_that_the_end_of_the_app_host_cuts_short_says_so()
    {
        var api = new Part("api");
        using var graph = new ObservedGraph(api);
        var wait = graph.Notifications.WaitForResourceHealthyAsync("api", Token);
        graph.Lifetime.StopApplication();
        var failure = await Assert.ThrowsAsync<OperationCanceledException>(() => wait);
        Assert.Contains("to become healthy ended because the app host stops", failure.Message, StringComparison.Ordinal);
        Assert.Contains("api: no state has been published yet", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Healthy_is_reached_when_checks_pass_and_the_handlers_of_ready_have_run()
    {
        var cache = new Part("cache").Checked("ping");
        using var graph = new ObservedGraph(cache);
        var handlers = new TaskCompletionSource();
        var wait = graph.Notifications.WaitForResourceHealthyAsync("cache", Token);
        await graph.PublishHealthAsync(cache, new HealthReportSnapshot("ping", null, null, null));
        await graph.PublishStateAsync(cache, KnownResourceStates.Running);
        await graph.PublishReadyAsync(cache, handlers.Task);
        Assert.False(wait.IsCompleted);
        await graph.PublishHealthAsync(cache, new HealthReportSnapshot("ping", HealthStatus.Healthy, null, null));
        Assert.False(wait.IsCompleted);

        handlers.SetResult();

        Assert.Equal("cache", (await wait).ResourceId);
    }

    [Fact]
    public async Task A_failure_of_a_ready_handler_reaches_who_waits()
    {
        var cache = new Part("cache");
        using var graph = new ObservedGraph(cache);
        await graph.PublishStateAsync(cache, KnownResourceStates.Running);
        await graph.PublishReadyAsync(cache, Task.FromException(new InvalidOperationException("no script")));
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => graph.Notifications.WaitForResourceHealthyAsync("cache", Token));
        Assert.Equal("no script", failure.Message);
    }

    [Fact]
    public async Task A_wait_that_is_to_stop_with_the_resource_tells_how_it_ended()
    {
        var api = new Part("api");
        using var graph = new ObservedGraph(api);
        graph.Logs.GetLogger(api).LogError("port 5000 is taken");
        await graph.PublishStateAsync(api, KnownResourceStates.Finished, exitCode: 134);
        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(
            () => graph.Notifications.WaitForResourceHealthyAsync("api", WaitBehavior.StopOnResourceUnavailable, Token));
        Assert.Equal(
            string.Join(
                Environment.NewLine,
                "The resource 'api' was expected to become healthy, but it has ended.",
                "  api: state Finished, exit code 134",
                "    last console lines:",
                "      port 5000 is taken"),
            failure.Message);
    }

    [Fact]
    public async Task A_wait_that_goes_on_outlives_a_failure_and_a_restart()
    {
        var api = new Part("api");
        using var graph = new ObservedGraph(api);
        await graph.PublishStateAsync(api, KnownResourceStates.FailedToStart);
        var wait = graph.Notifications.WaitForResourceHealthyAsync("api", WaitBehavior.WaitOnResourceUnavailable, Token);
        await graph.PublishStateAsync(api, KnownResourceStates.Running);
        Assert.False(wait.IsCompleted);
        await graph.PublishReadyAsync(api);
        await wait;
    }

    [Fact]
    public async Task A_resource_is_held_in_Waiting_and_the_list_of_what_it_waits_for_shrinks()
    {
        var job = new Part("job");
        var cache = new Part("cache");
        var api = new Part("api").WaitingFor(job, WaitType.WaitForCompletion).WaitingFor(cache, WaitType.WaitUntilStarted);
        using var graph = new ObservedGraph(job, cache, api);
        var wait = graph.Notifications.WaitForDependenciesAsync(api, Token);
        Assert.Equal(KnownResourceStates.Waiting, StateOf(graph, api));
        Assert.Equal(["job", "cache"], WaitingFor(graph, api));

        await graph.PublishStateAsync(cache, KnownResourceStates.Running);
        await graph.Notifications.WaitForResourceAsync("api", e => e.Snapshot.Property("resource.waitingFor") is ImmutableArray<string> { Length: 1 }, Token);
        Assert.Equal(["job"], WaitingFor(graph, api));
        Assert.False(wait.IsCompleted);

        await graph.PublishStateAsync(job, KnownResourceStates.Finished, exitCode: 0);
        await wait;
        Assert.Equal(KnownResourceStates.Starting, StateOf(graph, api));
        Assert.Empty(WaitingFor(graph, api));
    }

    [Theory]
    [InlineData("Finished", 3, "The resource 'job' was expected to finish with the exit code 0, but finished with 3.")]
    [InlineData("FailedToStart", null, "The resource 'job' was expected to finish, but it failed to start.")]
    public async Task A_job_that_fails_fails_those_that_wait_for_its_completion(string state, int? exitCode, string message)
    {
        var job = new Part("job");
        var api = new Part("api").WaitingFor(job, WaitType.WaitForCompletion, behavior: WaitBehavior.WaitOnResourceUnavailable);
        using var graph = new ObservedGraph(job, api);
        var wait = graph.Notifications.WaitForDependenciesAsync(api, Token);
        await graph.PublishStateAsync(job, state, exitCode);
        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(() => wait);
        Assert.StartsWith(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dependency_that_dies_between_running_and_healthy_fails_the_wait()
    {
        var mongo = new Part("mongo").Checked("mongo_check");
        var api = new Part("api").WaitingFor(mongo);
        using var graph = new ObservedGraph(mongo, api);
        var wait = graph.Notifications.WaitForDependenciesAsync(api, Token);
        await graph.PublishStateAsync(mongo, KnownResourceStates.Running);
        await graph.PublishStateAsync(mongo, KnownResourceStates.Exited, exitCode: 1);
        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(() => wait);
        Assert.Contains("'mongo' was expected to become healthy, but it has ended", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_who_starts_a_waiting_resource_ends_its_wait()
    {
        var mongo = new Part("mongo");
        var api = new Part("api").WaitingFor(mongo);
        using var graph = new ObservedGraph(mongo, api);
        var wait = graph.Notifications.WaitForDependenciesAsync(api, Token);
        await graph.PublishStateAsync(api, KnownResourceStates.Starting);
        await wait;
        Assert.Empty(WaitingFor(graph, api));
    }

    [Fact]
    public async Task An_update_that_changes_nothing_is_not_published()
    {
        var api = new Part("api");
        using var graph = new ObservedGraph(api);
        await graph.Notifications.PublishUpdateAsync(api, s => s with { Urls = [new UrlSnapshot("http", "http://localhost:1", false)] });
        var (_, changes, _) = graph.Notifications.Subscribe();

        await graph.Notifications.PublishUpdateAsync(api, s => s with { Urls = [new UrlSnapshot("http", "http://localhost:1", false)] });
        Assert.False(changes.TryRead(out _));

        await graph.Notifications.PublishUpdateAsync(api, s => s with { Urls = [new UrlSnapshot("http", "http://localhost:2", false)] });
        Assert.True(changes.TryRead(out _));
    }

    private static string? StateOf(ObservedGraph graph, Part part)
        => graph.Notifications.TryGetCurrentState(part.Name, out var current) ? current.Snapshot.State?.Text : null;

    private static ImmutableArray<string> WaitingFor(ObservedGraph graph, Part part)
        => graph.Notifications.TryGetCurrentState(part.Name, out var current)
            && current.Snapshot.Property("resource.waitingFor") is ImmutableArray<string> names ? names : [];
}
