using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Platform.Tests.Conformance.Offline;

/// <summary>An app host's Main, run in the test process over the real orchestrator.</summary>
public sealed class TestingBuilderTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(15);

    private static Type AppHost => typeof(Projects.SmallAppHost);

    [Fact]
    public async Task A_graph_is_changed_started_watched_and_stopped()
    {
        using var timeout = Limit();
        var lines = new CapturedLog();
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.SmallAppHost>(timeout.Token);
        builder.Services.AddLogging(logging => logging.AddProvider(lines));
        Assert.Equal(["server", "job", "after"], builder.Resources.Select(r => r.Name));
        builder.CreateResourceBuilder((ExecutableResource)builder.Resources.Single(r => r.Name == "server")).WithEnvironment("MARK", "of-the-test");

        await using var app = await builder.BuildAsync(timeout.Token);
        Assert.False(app.ResourceNotifications.TryGetCurrentState("server", out _), "Nothing is to start before StartAsync.");
        Assert.Throws<InvalidOperationException>(() => app.GetEndpoint("server", "tcp"));

        await app.StartAsync(timeout.Token);
        await app.ResourceNotifications.WaitForResourceAsync("server", KnownResourceStates.Running, timeout.Token);
        var ended = await app.ResourceNotifications.WaitForResourceAsync("job", e => e.Snapshot.ExitCode is not null, timeout.Token);
        Assert.Equal((0, KnownResourceStates.Finished), (ended.Snapshot.ExitCode, ended.Snapshot.State?.Text));
        await app.ResourceNotifications.WaitForResourceAsync("after", KnownResourceStates.Running, timeout.Token);

        var endpoint = app.GetEndpoint("server", "tcp");
        Assert.Equal("tcp", endpoint.Scheme);
        Assert.NotEqual(23456, endpoint.Port);
        Assert.Contains("It has: tcp.", Assert.Throws<ArgumentException>(() => app.GetEndpoint("server", "http")).Message, StringComparison.Ordinal);
        Assert.Contains("job, server", Assert.Throws<ArgumentException>(() => app.GetEndpoint("sever")).Message, StringComparison.Ordinal);

        Assert.True(app.ResourceNotifications.TryGetCurrentState("server", out var server));
        Assert.Contains(server.Snapshot.EnvironmentVariables, v => v is { Name: "MARK", Value: "of-the-test", IsFromSpec: true });
        var pid = Convert.ToInt32(server.Snapshot.Property("executable.pid"), System.Globalization.CultureInfo.InvariantCulture);
        await lines.WaitForAsync("Platform.Tests.SmallAppHost.Resources.server", "careful", timeout.Token);

        await app.StopAsync(timeout.Token);
        Assert.False(Directory.Exists($"/proc/{pid}"), "The server is to have ended with the app.");
    }

    [Fact]
    public async Task Arguments_reach_the_app_host_and_a_failed_job_fails_what_waits_for_it()
    {
        using var timeout = Limit();
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.SmallAppHost>(
            ["Small:JobExitCode=3"], timeout.Token);
        await using var app = await builder.BuildAsync(timeout.Token);
        await app.StartAsync(timeout.Token);
        await app.ResourceNotifications.WaitForResourceAsync("after", KnownResourceStates.FailedToStart, timeout.Token);
        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(
            () => app.ResourceNotifications.WaitForResourceHealthyAsync("after", timeout.Token));
        Assert.StartsWith("The resource 'after' was expected to become healthy, but it failed to start.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'job' was expected to finish with the exit code 0, but finished with 3", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_of_Main_reaches_the_test()
    {
        using var timeout = Limit();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => DistributedApplicationTestingBuilder.CreateAsync(AppHost, ["throw"], timeout.Token));
        Assert.Equal("The cellar is flooded.", failure.Message);
    }

    [Fact]
    public async Task A_Main_that_builds_nothing_is_an_error()
    {
        using var timeout = Limit();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => DistributedApplicationTestingBuilder.CreateAsync(AppHost, ["return"], timeout.Token));
        Assert.Equal("The app host's Main ended without building an app.", failure.Message);
    }

    [Fact]
    public async Task An_assembly_without_Main_is_no_app_host()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => DistributedApplicationTestingBuilder.CreateAsync<DistributedApplicationFactory>(TestContext.Current.CancellationToken));
        Assert.Contains("has no Main", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_test_that_never_starts_the_app_leaves_nothing_behind(bool build)
    {
        using var timeout = Limit();
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.SmallAppHost>(timeout.Token);
        var started = false;
        builder.Eventing.Subscribe<BeforeStartEvent>((_, _) =>
        {
            started = true;
            return Task.CompletedTask;
        });
        if (build)
        {
            await builder.BuildAsync(timeout.Token);
        }

        var watch = Stopwatch.StartNew();
        await builder.DisposeAsync();
        Assert.False(started);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), "Main is to be left at once.");
    }

    [Fact]
    public async Task Two_graphs_run_side_by_side()
    {
        using var timeout = Limit();
        await using var one = new Watched();
        await using var two = new Watched();
        await Task.WhenAll(one.StartAsync(timeout.Token), two.StartAsync(timeout.Token));
        Assert.NotEqual(one.GetEndpoint("server", "tcp"), two.GetEndpoint("server", "tcp"));
        Assert.Equal(["creating", "created", "building", "built"], one.Steps);
    }

    [Fact]
    public async Task A_graph_of_the_test_itself_is_built_without_a_program()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create("Some:Key=value");
        builder.AddExecutable("echo", "/bin/echo", ".");
        Assert.Equal("value", builder.Configuration["Some:Key"]);
        Assert.Equal("true", builder.Configuration["DcpPublisher:RandomizePorts"]);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        Assert.NotNull(app.Services.GetRequiredService<IHttpClientFactory>());
        Assert.Equal("echo", Assert.Single(app.Services.GetRequiredService<DistributedApplicationModel>().Resources).Name);
    }

    private static CancellationTokenSource Limit()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(s_limit);
        return source;
    }

    private sealed class Watched() : DistributedApplicationFactory(AppHost)
    {
        public List<string> Steps { get; } = [];

        protected override void OnBuilderCreating(
            DistributedApplicationOptions applicationOptions,
            Microsoft.Extensions.Hosting.HostApplicationBuilderSettings hostOptions)
            => Steps.Add("creating");

        protected override void OnBuilderCreated(DistributedApplicationBuilder applicationBuilder) => Steps.Add("created");

        protected override void OnBuilding(DistributedApplicationBuilder applicationBuilder) => Steps.Add("building");

        protected override void OnBuilt(DistributedApplication application) => Steps.Add("built");
    }

    private sealed class CapturedLog : ILoggerProvider
    {
        private readonly Lock _gate = new();
        private readonly List<(string Category, string Text)> _lines = [];
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

        public void Dispose()
        {
        }

        public async Task WaitForAsync(string category, string text, CancellationToken cancellationToken)
        {
            while (true)
            {
                Task changed;
                lock (_gate)
                {
                    if (_lines.Any(l => l.Category == category && l.Text.Contains(text, StringComparison.Ordinal)))
                    {
                        return;
                    }

                    changed = _changed.Task;
                }

                await changed.WaitAsync(cancellationToken);
            }
        }

        private void Add(string category, string text)
        {
            TaskCompletionSource changed;
            lock (_gate)
            {
                _lines.Add((category, text));
                (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            changed.SetResult();
        }

        private sealed class Logger(CapturedLog log, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull
                => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
                => log.Add(category, formatter(state, exception));
        }
    }
}
