using System.Collections.Concurrent;
using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Platform.AppHost.Settings;

namespace Platform.Tests.Graph;

/// <summary>One start of the whole app graph on a data directory; without one, on a new one that is removed with the stack.</summary>
/// <param name="dataDirectory">Where the servers keep their data.</param>
/// <param name="dashboard">Whether the dashboard runs too and takes the telemetry.</param>
/// <param name="settings">Further settings of the graph, as arguments.</param>
public sealed class TestStack(string? dataDirectory = null, bool dashboard = false, params string[] settings) : IAsyncDisposable
{
    /// <summary>The environment variable by which every process of a stack can be found: its value is the data directory.</summary>
    public const string Mark = "PLATFORM_TEST_STACK";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);

    private readonly ConcurrentDictionary<string, TimeSpan> _steps = new();
    private DistributedApplication? _app;

    /// <summary>Further settings of the API, as environment variables.</summary>
    public IReadOnlyDictionary<string, string> ApiSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>Where this stack's servers keep their data.</summary>
    public string DataDirectory { get; } = dataDirectory ?? Directory.CreateTempSubdirectory("platform-test-").FullName;

    /// <summary>The running application.</summary>
    public DistributedApplication App => _app ?? throw new InvalidOperationException("The stack has not been started.");

    /// <summary>When each resource ran, was healthy and ended, after the start began, in this order.</summary>
    public IEnumerable<(string Step, TimeSpan After)> Timeline => _steps.OrderBy(step => step.Value).Select(step => (step.Key, step.Value));

    /// <summary>Starts the graph and waits until the API is healthy and the seeder has ended well.</summary>
    /// <exception cref="WaitFailedException">It did not come to that; the message says how the resources stood.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        // The orchestrator inherits this process's environment, and every process of the stack inherits the orchestrator's.
        Environment.SetEnvironmentVariable(Mark, DataDirectory);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            [
                $"--Platform:DataDirectory={DataDirectory}",
                "--Platform:ApiPort=", // any free one, whatever the launch profile says
                "--ASPIRE_ALLOW_UNSECURED_TRANSPORT=true",
                .. settings,
            ],
            (options, _) => options.DisableDashboard = !dashboard,
            cancellationToken);
        // What resources print is kept by the graph and shown by a wait that fails; here it would drown the results.
        builder.Services.AddLogging(logging => logging
            .SetMinimumLevel(LogLevel.Warning)
            .AddFilter("Platform.AppHost.Resources", LogLevel.None));

        foreach (var (name, value) in ApiSettings)
        {
            builder.CreateResourceBuilder(builder.Resources.OfType<ProjectResource>().Single(project => project.Name == ResourceNames.Api))
                .WithEnvironment(name, value);
        }

        if (!dashboard)
        {
            // Nothing takes telemetry then, and a job would wait for it at its end.
            foreach (var project in builder.Resources.OfType<ProjectResource>())
            {
                builder.CreateResourceBuilder(project).WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", "");
            }
        }

        _app = await builder.BuildAsync(cancellationToken);
        _steps.TryAdd("graph built", watch.Elapsed);
        using var noting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var notes = NoteAsync(_app.ResourceNotifications, watch, noting.Token);

        // A graph whose parts wait for one that fails does not end its start: the waits tell what is wrong.
        var starting = _app.StartAsync(cancellationToken);
        var ready = UntilReadyAsync(_app, cancellationToken);
        await (await Task.WhenAny(starting, ready));
        await ready;
        await starting;
        _steps.TryAdd("ready", watch.Elapsed);
        await noting.CancelAsync();
        await notes;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        if (dataDirectory is null)
        {
            await RemoveDataAsync(DataDirectory);
        }
    }

    /// <summary>Removes a data directory, and the container volumes that belong to it.</summary>
    /// <exception cref="InvalidOperationException">A volume stays: something still uses it.</exception>
    public static async Task RemoveDataAsync(string dataDirectory)
    {
        if (Machine.Here.FindContainerRuntime().Program is { } runtime)
        {
            var volumes = (await RunAsync("ls", "--quiet", "--filter", $"name={DataVolume.NameOf(dataDirectory, "")}"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (volumes.Length > 0)
            {
                await RunAsync(["rm", .. volumes]);
            }

            async Task<string> RunAsync(params string[] arguments)
            {
                var (exitCode, output, errors) = await ProgramResult.OfAsync(
                    new ProcessStartInfo(runtime, ["volume", .. arguments]), CancellationToken.None);
                return exitCode == 0 ? output : throw new InvalidOperationException($"{runtime} volume {arguments[0]}: {errors.Trim()}");
            }
        }

        Directory.Delete(dataDirectory, recursive: true);
    }

    private static async Task UntilReadyAsync(DistributedApplication app, CancellationToken cancellationToken)
    {
        await app.UntilHealthyAsync(ResourceNames.Api, StartLimit, cancellationToken);
        await app.UntilDoneAsync(ResourceNames.Seeder, StartLimit, cancellationToken);
    }

    private async Task NoteAsync(ResourceNotificationService notifications, Stopwatch watch, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in notifications.WatchAsync(cancellationToken))
            {
                var (name, snapshot) = (change.Resource.Name, change.Snapshot);
                if (change.Resource is not ParameterResource && snapshot.State?.Text is "Running" or "Finished")
                {
                    _steps.TryAdd($"{name} {snapshot.State.Text.ToLowerInvariant()}", watch.Elapsed);
                    if (snapshot is { HealthStatus: HealthStatus.Healthy, HealthReports.Length: > 0 })
                    {
                        _steps.TryAdd($"{name} healthy", watch.Elapsed);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The start is over.
        }
    }
}
