using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.Tests.Integration;

/// <summary>One start of the whole app graph on a data directory; without one, on a new one that is removed with the stack.</summary>
/// <param name="dataDirectory">Where the servers keep their data.</param>
/// <param name="dashboard">Whether the dashboard runs too and takes the telemetry.</param>
public sealed class TestStack(string? dataDirectory = null, bool dashboard = false) : IAsyncDisposable
{
    /// <summary>The environment variable by which every process of a stack can be found: its value is the data directory.</summary>
    public const string Mark = "PLATFORM_TEST_STACK";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private DistributedApplication? _app;

    /// <summary>Where this stack's servers keep their data.</summary>
    public string DataDirectory { get; } = dataDirectory ?? Directory.CreateTempSubdirectory("platform-test-").FullName;

    /// <summary>The running application.</summary>
    public DistributedApplication App => _app ?? throw new InvalidOperationException("The stack has not been started.");

    /// <summary>Starts the graph and waits until the API is healthy and the seeder has ended well.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // The orchestrator inherits this process's environment, and every process of the stack inherits the orchestrator's.
        Environment.SetEnvironmentVariable(Mark, DataDirectory);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            [
                $"--Platform:DataDirectory={DataDirectory}",
                "--Platform:ApiPort=", // any free one, whatever the launch profile says
                "--ASPIRE_ALLOW_UNSECURED_TRANSPORT=true",
            ],
            (options, _) => options.DisableDashboard = !dashboard,
            cancellationToken);
        // What resources print is kept by the graph and shown by a wait that fails; here it would drown the results.
        builder.Services.AddLogging(logging => logging
            .SetMinimumLevel(LogLevel.Warning)
            .AddFilter("Platform.AppHost.Resources", LogLevel.None));

        if (!dashboard)
        {
            // Nothing takes telemetry then, and a job would wait for it at its end.
            foreach (var project in builder.Resources.OfType<ProjectResource>())
            {
                builder.CreateResourceBuilder(project).WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", "");
            }
        }

        _app = await builder.BuildAsync(cancellationToken);
        await _app.StartAsync(cancellationToken);
        await _app.UntilHealthyAsync(ResourceNames.Api, StartLimit, cancellationToken);
        await _app.UntilDoneAsync(ResourceNames.Seeder, StartLimit, cancellationToken);
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
            Directory.Delete(DataDirectory, recursive: true);
        }
    }
}
