using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Platform.Tests.Conformance.Hosting;

/// <summary>Graphs of small programs, run by the real orchestrator.</summary>
public sealed class OrchestratorTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    // Answers GET with the environment as JSON; /health says 503 until the file GATE exists.
    private const string Server =
        """
        const fs = require('fs');
        require('http').createServer((request, response) => {
          response.writeHead(request.url === '/health' && !fs.existsSync(process.env.GATE) ? 503 : 200);
          response.end(JSON.stringify({ env: process.env, args: process.argv.slice(2), pid: process.pid }));
        }).listen(process.env.PORT, '127.0.0.1');
        process.on('SIGTERM', () => process.exit(0));
        """;

    private readonly CancellationTokenSource _timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orchestrator-tests-");

    public OrchestratorTests() => _timeout.CancelAfter(Limit);

    private CancellationToken Token => _timeout.Token;

    public void Dispose()
    {
        _timeout.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_wait_for_completion_follows_the_exit_code()
    {
        var builder = CreateBuilder();
        var good = AddShell(builder, "good", "exit 0");
        var bad = AddShell(builder, "bad", "exit 3");
        AddShell(builder, "after-good", "exit 0").WaitForCompletion(good);
        AddShell(builder, "after-bad", "exit 0").WaitForCompletion(bad);
        AddShell(builder, "after-three", "exit 0").WaitForCompletion(bad, exitCode: 3);
        await using var app = builder.Build();
        await app.StartAsync(Token);

        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "good"));
        Assert.Equal((KnownResourceStates.Finished, 3), await EndAsync(app, "bad"));
        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "after-good"));
        Assert.Equal((KnownResourceStates.FailedToStart, null), await EndAsync(app, "after-bad"));
        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "after-three"));
    }

    [Fact]
    public async Task A_job_that_dies_by_a_signal_has_not_completed()
    {
        var builder = CreateBuilder();
        var killed = AddShell(builder, "killed", "kill -KILL $$");
        AddShell(builder, "after", "exit 0").WaitForCompletion(killed);
        await using var app = builder.Build();
        await app.StartAsync(Token);

        Assert.Equal((KnownResourceStates.Finished, -1), await EndAsync(app, "killed"));
        Assert.Equal((KnownResourceStates.FailedToStart, null), await EndAsync(app, "after"));
    }

    [Fact]
    public async Task A_dependent_starts_only_when_the_health_check_passes()
    {
        var gate = Path.Combine(_directory.FullName, "gate");
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = CreateBuilder();
        var server = AddServer(builder, "server").WithEnvironment("GATE", gate).WithHttpHealthCheck("/health");
        server.OnResourceReady((_, _, _) =>
        {
            ready.SetResult();
            return Task.CompletedTask;
        });
        AddShell(builder, "dependent", "exit 0").WaitFor(server);
        await using var app = builder.Build();
        var starting = app.StartAsync(Token);

        // Running, but not healthy: the check has run and said no.
        var unhealthy = await app.ResourceNotifications.WaitForResourceAsync(
            "server", e => e.Snapshot.HealthReports is [{ Description: { } description }] && description.Contains("503", StringComparison.Ordinal), Token);
        Assert.Equal(KnownResourceStates.Running, unhealthy.Snapshot.State?.Text);
        await app.ResourceNotifications.WaitForResourceAsync("dependent", KnownResourceStates.Waiting, Token);
        Assert.False(ready.Task.IsCompleted);

        await File.WriteAllTextAsync(gate, "", Token);
        await ready.Task.WaitAsync(Token);
        await starting;
        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "dependent"));
    }

    [Fact]
    public async Task A_process_gets_its_environment_and_arguments_as_written()
    {
        const string braces = """a {{ .Name }} {{{ }} {"k":{"a":1}} {""";
        var builder = CreateBuilder(("Parameters:secret", "s3cr3t{{"));
        var secret = builder.AddParameter("secret", secret: true);
        var other = AddServer(builder, "other");
        AddServer(builder, "server")
            .WithArgs(braces, "two words", "")
            .WithEnvironment("BRACES", braces)
            .WithEnvironment("SECRET", secret)
            .WithEnvironment("URL", other.GetEndpoint("http"))
            .WithEnvironment("BOTH", $"port {other.GetEndpoint("http").Property(EndpointProperty.Port)} and {secret}")
            .WithReference(other.GetEndpoint("http"))
            .WithOtlpExporter();
        await using var app = builder.Build();
        await app.StartAsync(Token);

        var otherUrl = other.GetEndpoint("http").Url;
        var url = Url(builder, "server");
        var answer = await GetAsync(url);
        string Variable(string name) => answer.GetProperty("env").GetProperty(name).GetString()!;
        Assert.Equal([braces, "two words", ""], answer.GetProperty("args").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal(braces, Variable("BRACES"));
        Assert.Equal("s3cr3t{{", Variable("SECRET"));
        Assert.Equal(otherUrl, Variable("URL"));
        Assert.Equal($"port {new Uri(otherUrl).Port} and s3cr3t{{{{", Variable("BOTH"));
        Assert.Equal(otherUrl, Variable("services__other__http__0"));
        Assert.Equal(otherUrl, Variable("OTHER_HTTP"));
        Assert.Equal("server", Variable("OTEL_SERVICE_NAME"));

        // What the process binds is not what clients see.
        Assert.NotEqual(new Uri(url).Port.ToString(CultureInfo.InvariantCulture), Variable("PORT"));

        // The dashboard finds telemetry by "{service.name}-{service.instance.id}".
        Assert.True(app.ResourceNotifications.TryGetCurrentState("server", out var state));
        Assert.Equal($"service.instance.id={state.ResourceId["server-".Length..]}", Variable("OTEL_RESOURCE_ATTRIBUTES"));
        Assert.Contains(state.Snapshot.EnvironmentVariables, v => v is { Name: "SECRET", Value: "s3cr3t{{", IsFromSpec: true });
    }

    [Fact]
    public async Task A_program_that_ends_at_once_can_be_started_again_and_its_console_stays()
    {
        var builder = CreateBuilder();
        var runs = Path.Combine(_directory.FullName, "runs");
        AddShell(builder, "unsteady", $"echo run >> {runs}; echo \"attempt $(wc -l < {runs})\"; exit 7");
        await using var app = builder.Build();
        await app.StartAsync(Token);

        Assert.Equal((KnownResourceStates.Finished, 7), await EndAsync(app, "unsteady"));
        await WaitForLineAsync(app, "unsteady", "attempt 1");
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("unsteady", KnownResourceCommands.StartCommand, Token)).Success);
        await WaitForLineAsync(app, "unsteady", "attempt 2");
        Assert.Equal((KnownResourceStates.Finished, 7), await EndAsync(app, "unsteady"));
    }

    [Fact]
    public async Task A_restart_gives_a_new_process_behind_the_same_port()
    {
        var builder = CreateBuilder();
        AddServer(builder, "server");
        await using var app = builder.Build();
        await app.StartAsync(Token);
        await app.ResourceNotifications.WaitForResourceAsync("server", KnownResourceStates.Running, Token);
        var url = Url(builder, "server");
        var before = (await GetAsync(url)).GetProperty("pid").GetInt32();

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", KnownResourceCommands.RestartCommand, Token)).Success);
        var after = (await GetAsync(url)).GetProperty("pid").GetInt32();
        Assert.NotEqual(before, after);
        Assert.Equal(url, Url(builder, "server"));

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", KnownResourceCommands.StopCommand, Token)).Success);
        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "server"));
        Assert.False(Runs(after), "A finished process is not to run.");
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", KnownResourceCommands.StartCommand, Token)).Success);
        await app.ResourceNotifications.WaitForResourceAsync("server", KnownResourceStates.Running, Token);
    }

    [Fact]
    public async Task A_resource_with_explicit_start_waits_for_the_command()
    {
        var builder = CreateBuilder();
        AddShell(builder, "later", "exit 0").WithExplicitStart();
        await using var app = builder.Build();
        await app.StartAsync(Token);
        Assert.True(app.ResourceNotifications.TryGetCurrentState("later", out var state));
        Assert.Equal(KnownResourceStates.NotStarted, state.Snapshot.State?.Text);

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("later", KnownResourceCommands.StartCommand, Token)).Success);
        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "later"));
    }

    [Fact]
    public async Task What_cannot_start_says_why_in_its_log()
    {
        var builder = CreateBuilder();
        builder.AddExecutable("no-program", Path.Combine(_directory.FullName, "missing"), _directory.FullName);
        builder.AddExecutable("no-directory", "true", Path.Combine(_directory.FullName, "nowhere"));
        await using var app = builder.Build();
        await app.StartAsync(Token);

        await FailsAsync("no-program", "no such file");
        await FailsAsync("no-directory", "nowhere");

        async Task FailsAsync(string name, string reason)
        {
            Assert.Equal((KnownResourceStates.FailedToStart, null), await EndAsync(app, name));
            await WaitForLineAsync(app, name, reason);
        }
    }

    [Fact]
    public async Task Replicas_of_a_project_share_a_port_and_have_states_of_their_own()
    {
        var builder = CreateBuilder();
        builder.AddProject<ApiProject>("api", launchProfileName: null)
            .WithEnvironment("DOTNET_ENVIRONMENT", "Production")
            .WithEnvironment("ConnectionStrings__platform", "mongodb://127.0.0.1:9/platform")
            .WithEnvironment("ConnectionStrings__cache", "127.0.0.1:9")
            .WithEnvironment("Paging__CursorKey", "the key of the tests, which is long enough")
            .WithHttpEndpoint()
            .WithReplicas(2);
        await using var app = builder.Build();
        await app.StartAsync(Token);

        var running = new HashSet<string>();
        await foreach (var change in app.ResourceNotifications.WatchAsync(Token))
        {
            if (change.Resource.Name == "api" && change.Snapshot.State?.Text == KnownResourceStates.Running && running.Add(change.ResourceId) && running.Count == 2)
            {
                break;
            }
        }

        // The proxy holds a connection until a replica listens.
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(new Uri(Url(builder, "api")), "/alive"), Token);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
    }

    [Fact]
    public async Task A_custom_resource_drives_itself_and_its_dependents_follow()
    {
        var builder = CreateBuilder();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var custom = builder.AddResource(new Custom("custom"))
            .WithInitialState(new CustomResourceSnapshot { ResourceType = "Custom", State = KnownResourceStates.NotStarted, Properties = [] })
            .OnInitializeResource(async (resource, initialize, token) =>
            {
                await go.Task.WaitAsync(token);
                await initialize.Eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, initialize.Services), token);
                await initialize.Notifications.PublishUpdateAsync(resource, s => s with { State = KnownResourceStates.Running });
            });
        AddShell(builder, "dependent", """[ "$ConnectionStrings__custom" = "there=1" ]""").WithReference(custom).WaitFor(custom);
        await using var app = builder.Build();
        var starting = app.StartAsync(Token);
        await app.ResourceNotifications.WaitForResourceAsync("dependent", KnownResourceStates.Waiting, Token);
        go.SetResult();
        await starting;
        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "dependent"));
        Assert.True(app.ResourceNotifications.TryGetCurrentState("custom", out var state));
        Assert.Equal("there=1", state.Snapshot.Properties.Single(property => property.Name == "resource.connectionString").Value);
    }

    [Fact]
    public async Task Events_and_states_come_in_order_from_the_first_to_the_end()
    {
        var gate = Path.Combine(_directory.FullName, "gate");
        var builder = CreateBuilder();
        var server = AddServer(builder, "server").WithEnvironment("GATE", gate).WithHttpHealthCheck("/health");
        var events = new System.Collections.Concurrent.ConcurrentQueue<string>();
        builder.Eventing.Subscribe<BeforeStartEvent>(Note);
        Follow<InitializeResourceEvent>();
        Follow<ResourceEndpointsAllocatedEvent>();
        Follow<BeforeResourceStartedEvent>();
        Follow<ResourceReadyEvent>();
        Follow<ResourceStoppedEvent>();
        await using var app = builder.Build();
        var states = new List<string>();
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var watch = WatchAsync(watching.Token);
        await app.StartAsync(Token);
        await app.ResourceNotifications.WaitForResourceAsync("server", e => e.Snapshot.HealthReports is [{ Status: not null }], Token);
        Assert.DoesNotContain(nameof(ResourceReadyEvent), events);
        await File.WriteAllTextAsync(gate, "", Token);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("server", Token);
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", KnownResourceCommands.StopCommand, Token)).Success);
        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "server"));
        await watch;
        await UntilAsync(() => events.Contains(nameof(ResourceStoppedEvent)));

        Assert.Equal(
            [nameof(BeforeStartEvent), nameof(InitializeResourceEvent), nameof(ResourceEndpointsAllocatedEvent), nameof(BeforeResourceStartedEvent),
             nameof(ResourceReadyEvent), nameof(ResourceStoppedEvent)],
            events);
        Assert.Equal(
            [KnownResourceStates.Starting, KnownResourceStates.Running, KnownResourceStates.Finished],
            states.Where(state => state is "Starting" or "Running" or "Finished"));

        Task Note<T>(T raised, CancellationToken cancellationToken)
        {
            events.Enqueue(typeof(T).Name);
            return Task.CompletedTask;
        }

        void Follow<T>()
            where T : IDistributedApplicationResourceEvent => builder.Eventing.Subscribe<T>(server.Resource, Note);

        async Task WatchAsync(CancellationToken cancellationToken)
        {
            await foreach (var change in app.ResourceNotifications.WatchAsync(cancellationToken))
            {
                if (change.Resource.Name == "server" && change.Snapshot.State?.Text is { } state && states.LastOrDefault() != state)
                {
                    states.Add(state);
                    if (state == KnownResourceStates.Finished)
                    {
                        return;
                    }
                }
            }
        }
    }

    [Fact]
    public async Task Health_is_asked_again_and_again()
    {
        var gate = Path.Combine(_directory.FullName, "gate");
        await File.WriteAllTextAsync(gate, "", Token);
        var builder = CreateBuilder();
        AddServer(builder, "server").WithEnvironment("GATE", gate).WithHttpHealthCheck("/health");
        await using var app = builder.Build();
        await app.StartAsync(Token);
        await HealthAsync(HealthStatus.Healthy);

        // A healthy resource is asked twice a minute.
        File.Delete(gate);
        var ill = await HealthAsync(HealthStatus.Unhealthy);
        Assert.Equal(KnownResourceStates.Running, ill.Snapshot.State?.Text);
        Assert.Contains("503", Assert.Single(ill.Snapshot.HealthReports).Description, StringComparison.Ordinal);

        await File.WriteAllTextAsync(gate, "", Token);
        await HealthAsync(HealthStatus.Healthy);

        Task<ResourceEvent> HealthAsync(HealthStatus status)
            => app.ResourceNotifications.WaitForResourceAsync("server", e => e.Snapshot.HealthStatus == status && e.Snapshot.HealthReports.All(report => report.Status is not null), Token);
    }

    [Fact]
    public async Task A_wait_for_the_start_does_not_ask_for_health()
    {
        var builder = CreateBuilder();
        var server = AddServer(builder, "server").WithEnvironment("GATE", Path.Combine(_directory.FullName, "never")).WithHttpHealthCheck("/health");
        AddShell(builder, "dependent", "exit 0").WaitForStart(server);
        await using var app = builder.Build();
        await app.StartAsync(Token);

        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "dependent"));
        Assert.True(app.ResourceNotifications.TryGetCurrentState("server", out var state));
        Assert.NotEqual(HealthStatus.Healthy, state.Snapshot.HealthStatus);
    }

    [Fact]
    public async Task A_project_that_crashes_at_every_start_ends_each_time_says_why_and_holds_up_those_that_wait()
    {
        var builder = CreateBuilder();
        // Without a database it refuses to start.
        var project = builder.AddProject<MigratorProject>("looping", launchProfileName: null);
        AddShell(builder, "dependent", "exit 0").WaitForCompletion(project, ExitCodes.Configuration);
        AddShell(builder, "hopeful", "exit 0").WaitForCompletion(project);
        await using var app = builder.Build();
        await app.StartAsync(Token);

        DateTime? last = null;
        for (var run = 1; run <= 3; run++)
        {
            if (run > 1)
            {
                Assert.True((await app.ResourceCommands.ExecuteCommandAsync("looping", KnownResourceCommands.StartCommand, Token)).Success);
            }

            var end = await app.ResourceNotifications.WaitForResourceAsync(
                "looping", e => KnownResourceStates.TerminalStates.Contains(e.Snapshot.State?.Text) && e.Snapshot.StopTimeStamp is { } stop && stop != last, Token);
            last = end.Snapshot.StopTimeStamp;
            Assert.Equal((KnownResourceStates.Finished, ExitCodes.Configuration), (end.Snapshot.State?.Text, end.Snapshot.ExitCode));
            await WaitForLineAsync(app, "looping", "There is no MongoDB connection string");
        }

        Assert.Equal((KnownResourceStates.Finished, 0), await EndAsync(app, "dependent"));
        Assert.Equal((KnownResourceStates.FailedToStart, null), await EndAsync(app, "hopeful"));
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_the_program_that_was_to_have_it_and_the_console_says_so()
    {
        using var other = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        other.Start();
        var port = ((System.Net.IPEndPoint)other.LocalEndpoint).Port;
        var builder = CreateBuilder();
        AddServer(builder, "server", port);
        await using var app = builder.Build();
        await app.StartAsync(Token);

        Assert.Equal((KnownResourceStates.Finished, 1), await EndAsync(app, "server"));
        await WaitForLineAsync(app, "server", "EADDRINUSE");

        // Once it is free the same command starts it.
        other.Stop();
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", KnownResourceCommands.StartCommand, Token)).Success);
        await UntilAsync(() => Answers(port));
    }

    [Fact]
    public async Task Two_graphs_of_the_same_names_run_beside_each_other()
    {
        var (first, second) = (CreateBuilder(), CreateBuilder());
        AddServer(first, "server").WithEnvironment("GRAPH", "first");
        AddServer(second, "server").WithEnvironment("GRAPH", "second");
        await using var one = first.Build();
        await using var two = second.Build();
        await Task.WhenAll(one.StartAsync(Token), two.StartAsync(Token));

        Assert.Equal("first", await GraphAsync(first));
        Assert.Equal("second", await GraphAsync(second));

        // One that stops takes nothing from the other.
        await one.StopAsync(Token);
        Assert.Equal("second", await GraphAsync(second));

        async Task<string?> GraphAsync(IDistributedApplicationBuilder graph)
            => (await GetAsync(Url(graph, "server"))).GetProperty("env").GetProperty("GRAPH").GetString();
    }

    private static IDistributedApplicationBuilder CreateBuilder(params (string Key, string Value)[] settings)
    {
        // The assembly of an AppHost says where the orchestrator is.
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = [],
            DisableDashboard = true,
            AssemblyName = typeof(Projects.SmallAppHost).Assembly.GetName().Name,
        });
        builder.Services.AddLogging(logging => logging.ClearProviders()); // it would drown the results
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value)));
        return builder;
    }

    private IResourceBuilder<ExecutableResource> AddShell(IDistributedApplicationBuilder builder, string name, string script)
        => builder.AddExecutable(name, "/bin/sh", _directory.FullName, "-c", script);

    // With a port: that very port, past the orchestrator's proxy.
    private IResourceBuilder<ExecutableResource> AddServer(IDistributedApplicationBuilder builder, string name, int? port = null)
    {
        var script = Path.Combine(_directory.FullName, "server.js");
        File.WriteAllText(script, Server);
        return builder.AddExecutable(name, "node", _directory.FullName, script).WithHttpEndpoint(port, env: "PORT", isProxied: port is null);
    }

    private static string Url(IDistributedApplicationBuilder builder, string name)
        => ((IResourceWithEndpoints)builder.Resources.Single(r => r.Name == name)).GetEndpoint("http").Url;

    private async Task<System.Text.Json.JsonElement> GetAsync(string url)
    {
        // A new connection each time: the proxy spreads connections, not requests.
        using var http = new HttpClient();
        using var json = System.Text.Json.JsonDocument.Parse(await http.GetStringAsync(new Uri(url), Token));
        return json.RootElement.Clone();
    }

    // A process that has ended may stay in the table as a zombie until its parent collects it: proc(5), stat, "PID (NAME) STATE ...".
    private static bool Runs(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (Exception ex) when (ex is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private async Task<(string? State, int? ExitCode)> EndAsync(DistributedApplication app, string name)
    {
        var end = await app.ResourceNotifications.WaitForResourceAsync(
            name, e => KnownResourceStates.TerminalStates.Contains(e.Snapshot.State?.Text), Token);
        return (end.Snapshot.State?.Text, end.Snapshot.ExitCode);
    }

    private static bool Answers(int port)
    {
        try
        {
            using var client = new System.Net.Sockets.TcpClient();
            client.Connect(System.Net.IPAddress.Loopback, port);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!condition())
        {
            await timer.WaitForNextTickAsync(Token);
        }
    }

    private async Task WaitForLineAsync(DistributedApplication app, string name, string text)
    {
        Assert.True(app.ResourceNotifications.TryGetCurrentState(name, out var state));
        var logs = (ResourceLoggerService)app.Services.GetService(typeof(ResourceLoggerService))!;
        var seen = new List<string>();
        await foreach (var batch in logs.WatchAsync(state.ResourceId).WithCancellation(Token))
        {
            seen.AddRange(batch.Select(l => l.Content));
            if (seen.Any(l => l.Contains(text, StringComparison.Ordinal)))
            {
                return;
            }
        }

        Assert.Fail($"'{text}' is not in the log of '{name}':\n{string.Join('\n', seen)}");
    }

    // Built with the tests.
    private sealed class ApiProject : IProjectMetadata
    {
        public string ProjectPath => Path.Combine(Repository.Root, "Services", "Api", "Api.csproj");

        public bool SuppressBuild => true;
    }

    private sealed class MigratorProject : IProjectMetadata
    {
        public string ProjectPath => Path.Combine(Repository.Root, "Services", "Migrator", "Migrator.csproj");

        public bool SuppressBuild => true;
    }

    private sealed class Custom(string name) : Resource(name), IResourceWithConnectionString
    {
        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"there=1");
    }
}
