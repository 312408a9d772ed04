using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Platform.Tests.Conformance.Offline;

/// <summary>Graphs of small programs, run by the real orchestrator.</summary>
public sealed class OrchestratorTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

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

    // Runs until SIGTERM, then adds its name to the file ENDS.
    private const string Worker = """trap 'echo "$NAME" >> "$ENDS"; exit 0' TERM; while :; do sleep 0.05; done""";

    private readonly CancellationTokenSource _timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orchestrator-tests-");

    public OrchestratorTests() => _timeout.CancelAfter(s_limit);

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
        Assert.False(starting.IsCompleted, "StartAsync is to wait for resources that wait.");

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
    public async Task Dependents_stop_first_and_no_process_is_left()
    {
        var ends = Path.Combine(_directory.FullName, "ends");
        var builder = CreateBuilder();
        var first = AddWorker("first");
        var second = AddWorker("second").WaitForStart(first);
        var third = AddWorker("third").WaitForStart(second);
        await using var app = builder.Build();
        await app.StartAsync(Token);
        var pids = new List<int>();
        foreach (var name in (string[])["first", "second", "third"])
        {
            await app.ResourceNotifications.WaitForResourceAsync(name, KnownResourceStates.Running, Token);
            pids.Add(Pid(app, name));
        }

        // A shell that got the signal before its trap would end without a word.
        foreach (var name in (string[])["first", "second", "third"])
        {
            await WaitForLineAsync(app, name, "ready");
        }

        await app.StopAsync(Token);
        Assert.Equal(["third", "second", "first"], await File.ReadAllLinesAsync(ends, Token));
        Assert.All(pids, pid => Assert.False(Directory.Exists($"/proc/{pid}"), $"The process {pid} is still there."));

        IResourceBuilder<ExecutableResource> AddWorker(string name)
            => AddShell(builder, name, Worker.Replace("while", "echo ready; while", StringComparison.Ordinal)).WithEnvironment("NAME", name).WithEnvironment("ENDS", ends);
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
        await GoneAsync(after);
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_taken_port_fails_the_start_with_a_sentence(bool proxied)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var builder = CreateBuilder();
        AddShell(builder, "server", "sleep 60").WithEndpoint(port: port, scheme: "tcp", name: "wire", isProxied: proxied);
        await using var app = builder.Build();
        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.StartAsync(Token));
        Assert.Equal($"Port {port} of the endpoint 'wire' of the resource 'server' is taken by another program.", failure.Message);
    }

    [Fact]
    public async Task What_cannot_start_says_why_in_its_log()
    {
        var builder = CreateBuilder();
        builder.AddExecutable("no-program", Path.Combine(_directory.FullName, "missing"), _directory.FullName);
        builder.AddExecutable("no-directory", "true", Path.Combine(_directory.FullName, "nowhere"));
        AddShell(builder, "no-value", "exit 0").WithEnvironment("VALUE", builder.AddParameter("unset"));
        builder.AddContainer("box", "some/image");
        await using var app = builder.Build();
        await app.StartAsync(Token);

        await FailsAsync("no-program", "no such file");
        await FailsAsync("no-directory", "nowhere' of the resource 'no-directory' does not exist.");
        await FailsAsync("no-value", "The parameter 'unset' has no value: set Parameters:unset.");
        await FailsAsync("box", "--Platform:Engine=native");
        Assert.True(app.ResourceNotifications.TryGetCurrentState("unset", out var parameter));
        Assert.Equal(KnownResourceStates.ValueMissing, parameter.Snapshot.State?.Text);

        async Task FailsAsync(string name, string reason)
        {
            Assert.Equal((KnownResourceStates.FailedToStart, null), await EndAsync(app, name));
            await WaitForLineAsync(app, name, reason);
        }
    }

    [Fact]
    public async Task Replicas_share_a_port_and_have_states_of_their_own()
    {
        var builder = CreateBuilder();
        var server = AddServer(builder, "server").WithAnnotation(new ReplicaAnnotation(2));
        await using var app = builder.Build();
        await app.StartAsync(Token);
        await app.ResourceNotifications.WaitForResourceAsync("server", KnownResourceStates.Running, Token);

        var pids = new HashSet<int>();
        while (pids.Count < 2)
        {
            pids.Add((await GetAsync(Url(builder, "server"))).GetProperty("pid").GetInt32());
            Token.ThrowIfCancellationRequested();
        }
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
        Assert.Equal("there=1", state.Snapshot.Property("resource.connectionString"));
    }

    private static IDistributedApplicationBuilder CreateBuilder(params (string Key, string Value)[] settings)
    {
        var cache = Environment.GetEnvironmentVariable("PLATFORM_CACHE") is { Length: > 0 } path
            ? path
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform");
        var dcp = Path.Combine(cache, "aspire", "bundle", "dcp", "dcp");
        Assert.SkipUnless(File.Exists(dcp), $"The orchestrator dcp is not installed at {dcp}.");
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { Args = [], DisableDashboard = true });
        builder.Configuration.AddInMemoryCollection(
            settings.Append(("DcpPublisher:CliPath", dcp)).Select(s => KeyValuePair.Create<string, string?>(s.Item1, s.Item2)));
        return builder;
    }

    private IResourceBuilder<ExecutableResource> AddShell(IDistributedApplicationBuilder builder, string name, string script)
        => builder.AddExecutable(name, "/bin/sh", _directory.FullName, "-c", script);

    private IResourceBuilder<ExecutableResource> AddServer(IDistributedApplicationBuilder builder, string name)
    {
        var script = Path.Combine(_directory.FullName, "server.js");
        File.WriteAllText(script, Server);
        return builder.AddExecutable(name, "node", _directory.FullName, script).WithHttpEndpoint(env: "PORT");
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

    private static int Pid(DistributedApplication app, string name)
    {
        Assert.True(app.ResourceNotifications.TryGetCurrentState(name, out var state));
        return Convert.ToInt32(state.Snapshot.Property("executable.pid"), CultureInfo.InvariantCulture);
    }

    // The end of a process is reported a moment before its parent has collected it.
    private async Task GoneAsync(int pid)
    {
        while (Directory.Exists($"/proc/{pid}"))
        {
            await Task.Delay(10, Token);
        }
    }

    private async Task<(string? State, int? ExitCode)> EndAsync(DistributedApplication app, string name)
    {
        var end = await app.ResourceNotifications.WaitForResourceAsync(
            name, e => KnownResourceStates.TerminalStates.Contains(e.Snapshot.State?.Text), Token);
        return (end.Snapshot.State?.Text, end.Snapshot.ExitCode);
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

    private sealed class Custom(string name) : Resource(name), IResourceWithConnectionString
    {
        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"there=1");
    }
}
