using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Aspire.Hosting.Dashboard.Contract;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using HealthStatus = Aspire.Hosting.Dashboard.Contract.HealthStatus;
using ResourceCommandState = Aspire.Hosting.ApplicationModel.ResourceCommandState;

namespace Platform.Tests.Conformance.Offline;

/// <summary>The resource service, asked by a gRPC client as the dashboard asks it.</summary>
public sealed class ResourceServiceTests : IAsyncLifetime
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    private readonly Part _api = new("api");
    private readonly ObservedGraph _graph;
    private readonly ResourceServiceServer _server;
    private GrpcChannel _channel = null!;

    public ResourceServiceTests()
    {
        _graph = new ObservedGraph(_api);
        var options = new DashboardOptions
        {
            ApplicationName = "Shop",
            Path = "",
            FrontendAddresses = [BindAddress.AnyLoopbackPort],
            OtlpGrpc = BindAddress.AnyLoopbackPort,
            OtlpHttp = BindAddress.AnyLoopbackPort,
            ResourceService = BindAddress.AnyLoopbackPort,
            BrowserToken = null,
            OtlpApiKey = null,
            DashboardApiKey = null,
            ResourceServiceApiKey = Key,
            ShowDashboardResource = false,
            PassedOn = new Dictionary<string, string>(),
        };
        _server = new ResourceServiceServer(
            options, _graph.Notifications, _graph.Logs, _graph.Commands, _graph.Lifetime, NullLoggerFactory.Instance);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private DashboardService.DashboardServiceClient Client => new(_channel);

    public async ValueTask InitializeAsync() => _channel = GrpcChannel.ForAddress(await _server.StartAsync(Token));

    public async ValueTask DisposeAsync()
    {
        _graph.Lifetime.StopApplication();
        _channel.Dispose();
        await _server.DisposeAsync();
        _graph.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("0123456789abcdef0123456789abcdee")]
    [InlineData("")]
    public async Task Nobody_is_answered_without_the_key(string? key)
    {
        var headers = key is null ? [] : new Metadata { { "x-resource-service-api-key", key } };
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.GetApplicationInformationAsync(new ApplicationInformationRequest(), headers, cancellationToken: Token));
        Assert.Equal(StatusCode.Unauthenticated, failure.StatusCode);
    }

    [Fact]
    public async Task The_application_has_a_name()
    {
        var answer = await Client.GetApplicationInformationAsync(new ApplicationInformationRequest(), Headers(), cancellationToken: Token);
        Assert.Equal("Shop", answer.ApplicationName);
        Assert.Equal("13.5.0", answer.MinDashboardVersion);
    }

    [Fact]
    public async Task A_watch_begins_with_all_resources_even_when_there_are_none_and_goes_on_with_changes()
    {
        using var call = Client.WatchResources(new WatchResourcesRequest(), Headers(), cancellationToken: Token);
        Assert.True(await call.ResponseStream.MoveNext(Token));
        Assert.Equal(WatchResourcesUpdate.KindOneofCase.InitialData, call.ResponseStream.Current.KindCase);
        Assert.Empty(call.ResponseStream.Current.InitialData.Resources);

        await _graph.PublishStateAsync(_api, KnownResourceStates.Starting);

        Assert.True(await call.ResponseStream.MoveNext(Token));
        var upsert = Assert.Single(call.ResponseStream.Current.Changes.Value).Upsert;
        Assert.Equal(("api", "Part", "api", "Starting"), (upsert.Name, upsert.ResourceType, upsert.DisplayName, upsert.State));
        Assert.NotNull(upsert.CreatedAt);
    }

    [Fact]
    public async Task A_resource_is_sent_with_everything_the_pages_read()
    {
        _api.Annotations.Add(new ResourceCommandAnnotation(
            "clear", "Clear", _ => ResourceCommandState.Enabled, _ => Task.FromResult(CommandResults.Success()), null, null, "Sure?", "Broom", null, true));
        await _graph.Notifications.PublishUpdateAsync(_api, s => s with
        {
            State = KnownResourceStates.Running,
            StartTimeStamp = new DateTime(2026, 1, 31, 10, 0, 0, DateTimeKind.Utc),
            ExitCode = -2,
            Properties =
            [
                new ResourcePropertySnapshot("executable.args", new[] { "--a", "--b" }),
                new ResourcePropertySnapshot("executable.pid", 4711),
                new ResourcePropertySnapshot("resource.connectionString", "secret"),
                new ResourcePropertySnapshot("mine", null) { IsSensitive = true },
            ],
            EnvironmentVariables = [new EnvironmentVariableSnapshot("A", "1", true), new EnvironmentVariableSnapshot("B", null, false)],
            Urls = [new UrlSnapshot("http", "http://localhost:5000", false)],
            Volumes = [new VolumeSnapshot(null, "/data", "volume", true)],
            Relationships = [new RelationshipSnapshot("mongo", "Reference")],
        });
        await _graph.PublishHealthAsync(
            _api,
            new HealthReportSnapshot("a", Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy, "fine", null),
            new HealthReportSnapshot("b", Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Degraded, null, "slow"),
            new HealthReportSnapshot("c", Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy, null, null),
            new HealthReportSnapshot("d", null, null, null));

        using var call = Client.WatchResources(new WatchResourcesRequest { IsReconnect = true }, Headers(), cancellationToken: Token);
        Assert.True(await call.ResponseStream.MoveNext(Token));
        var sent = Assert.Single(call.ResponseStream.Current.InitialData.Resources);

        Assert.NotNull(Assert.Single(sent.Urls).DisplayProperties);
        Assert.Equal(
            [(true, HealthStatus.Healthy), (true, HealthStatus.Degraded), (true, HealthStatus.Unhealthy), (false, default)],
            sent.HealthReports.Select(r => (r.HasStatus, r.Status)));
        var properties = sent.Properties.ToDictionary(p => p.Name);
        Assert.Equal(sent.Properties.Count, properties.Count);
        Assert.All(sent.Properties, p => Assert.NotNull(p.Value));
        Assert.Equal("Running", properties["resource.state"].Value.StringValue);
        Assert.Equal("Unhealthy", properties["resource.healthState"].Value.StringValue);
        Assert.Equal("-2", properties["resource.exitCode"].Value.StringValue);
        Assert.Equal("2026-01-31T10:00:00.0000000Z", properties["resource.startTime"].Value.StringValue);
        Assert.Equal(["--a", "--b"], properties["executable.args"].Value.ListValue.Values.Select(v => v.StringValue));
        Assert.Equal(4711, properties["executable.pid"].Value.NumberValue);
        Assert.Equal(
            ["executable.args", "mine", "resource.connectionString"],
            sent.Properties.Where(p => p.IsSensitive).Select(p => p.Name).Order());
        Assert.Equal(
            ["executable.args", "executable.pid"],
            sent.Properties.Where(p => p.IsHighlighted).Select(p => p.Name).Order());
        var command = Assert.Single(sent.Commands);
        Assert.Equal(("clear", "Clear", "Sure?", true), (command.Name, command.DisplayName, command.ConfirmationMessage, command.IsHighlighted));
        Assert.Equal([("A", true), ("B", false)], sent.Environment.Select(e => (e.Name, e.HasValue)));
        Assert.Equal("mongo", Assert.Single(sent.Relationships).ResourceName);
        Assert.Equal(("", "/data"), (sent.Volumes[0].Source, sent.Volumes[0].Target));
    }

    [Fact]
    public async Task Console_lines_of_the_past_come_first_then_new_ones()
    {
        _graph.Logs.Append("api", "old", isError: false);
        using var call = Client.WatchResourceConsoleLogs(
            new WatchResourceConsoleLogsRequest { ResourceName = "api" }, Headers(), cancellationToken: Token);
        Assert.True(await call.ResponseStream.MoveNext(Token));
        var line = Assert.Single(call.ResponseStream.Current.LogLines);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z old$", line.Text);

        _graph.Logs.Append("api", "new", isError: true);
        Assert.True(await call.ResponseStream.MoveNext(Token));
        Assert.True(Assert.Single(call.ResponseStream.Current.LogLines).IsStdErr);

        _graph.Logs.Complete("api");
        Assert.False(await call.ResponseStream.MoveNext(Token));
    }

    [Fact]
    public async Task An_export_of_console_lines_ends_after_what_there_is_in_messages_of_bounded_size()
    {
        for (var i = 0; i < 200; i++)
        {
            _graph.Logs.Append("api", new string('x', 20_000), isError: false);
        }

        using var call = Client.WatchResourceConsoleLogs(
            new WatchResourceConsoleLogsRequest { ResourceName = "api", SuppressFollow = true }, Headers(), cancellationToken: Token);
        var lines = 0;
        while (await call.ResponseStream.MoveNext(Token))
        {
            Assert.InRange(call.ResponseStream.Current.CalculateSize(), 1, 1024 * 1024);
            lines += call.ResponseStream.Current.LogLines.Count;
        }

        Assert.Equal(200, lines);
    }

    [Theory]
    [InlineData("works", "Succeeded", "done")]
    [InlineData("fails", "Failed", "no disk")]
    [InlineData("throws", "Failed", "boom")]
    [InlineData("missing", "Failed", "The resource 'api' has no command 'missing'.")]
    public async Task A_command_is_run_and_its_outcome_told(string name, string kind, string message)
    {
        AddCommand("works", _ => Task.FromResult(CommandResults.Success("done")));
        AddCommand("fails", _ => Task.FromResult(CommandResults.Failure("no disk")));
        AddCommand("throws", _ => throw new InvalidOperationException("boom"));
        await _graph.PublishStateAsync(_api, KnownResourceStates.Running);
        var answer = await Client.ExecuteResourceCommandAsync(
            new ResourceCommandRequest { ResourceName = "api", CommandName = name, ResourceType = "Part" }, Headers(), cancellationToken: Token);
        Assert.Equal((kind, message), (answer.Kind.ToString(), answer.Message));
    }

    [Fact]
    public async Task A_command_is_cancelled_with_the_call()
    {
        var entered = new TaskCompletionSource();
        var left = new TaskCompletionSource();
        AddCommand("long", async context =>
        {
            entered.SetResult();
            using var registration = context.CancellationToken.Register(left.SetResult);
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return CommandResults.Success();
        });
        await _graph.PublishStateAsync(_api, KnownResourceStates.Running);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var call = Client.ExecuteResourceCommandAsync(
            new ResourceCommandRequest { ResourceName = "api", CommandName = "long" }, Headers(), cancellationToken: cancel.Token);
        await entered.Task.WaitAsync(Token);
        await cancel.CancelAsync();
        await left.Task.WaitAsync(Token);
        await Assert.ThrowsAsync<RpcException>(async () => await call);
    }

    [Fact]
    public async Task The_interactions_call_answers_with_headers_and_stays_open_beyond_the_minimum_data_rate()
    {
        using var call = Client.WatchInteractions(Headers(), cancellationToken: Token);
        await call.ResponseHeadersAsync.WaitAsync(Token);
        var next = call.ResponseStream.MoveNext(Token);

        // Kestrel's grace period is five seconds; there is no event to wait for when nothing happens.
        var ended = await Task.WhenAny(next, Task.Delay(TimeSpan.FromSeconds(7), Token));

        Assert.NotSame(next, ended);
        await Client.GetApplicationInformationAsync(new ApplicationInformationRequest(), Headers(), cancellationToken: Token);
        _graph.Lifetime.StopApplication();
        Assert.False(await next);
    }

    [Fact]
    public async Task When_the_app_host_stops_watches_end_and_new_ones_are_refused()
    {
        using var call = Client.WatchResources(new WatchResourcesRequest(), Headers(), cancellationToken: Token);
        Assert.True(await call.ResponseStream.MoveNext(Token));
        _graph.Lifetime.StopApplication();
        Assert.False(await call.ResponseStream.MoveNext(Token));

        using var again = Client.WatchResources(new WatchResourcesRequest(), Headers(), cancellationToken: Token);
        var failure = await Assert.ThrowsAsync<RpcException>(() => again.ResponseStream.MoveNext(Token));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private void AddCommand(string name, Func<ExecuteCommandContext, Task<ExecuteCommandResult>> run)
        => _api.Annotations.Add(new ResourceCommandAnnotation(
            name, name, _ => ResourceCommandState.Enabled, run, null, null, null, null, null, false));

    private static Metadata Headers() => new() { { "x-resource-service-api-key", Key } };
}
