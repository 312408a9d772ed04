using System.Diagnostics;
using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

/// <summary>A graph that can be run.</summary>
/// <param name="host">The host of its services.</param>
[DebuggerDisplay("{_host}")]
public partial class DistributedApplication(IHost host) : IHost, IAsyncDisposable
{
    private readonly IHost _host = host;
    private int _stopped;

    /// <summary>The services of the app host.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>The states of the resources.</summary>
    public ResourceNotificationService ResourceNotifications => Services.GetRequiredService<ResourceNotificationService>();

    /// <summary>The commands of the resources.</summary>
    public ResourceCommandService ResourceCommands => Services.GetRequiredService<ResourceCommandService>();

    private ILogger Logger => Services.GetRequiredService<ILoggerFactory>().CreateLogger<DistributedApplication>();

    /// <summary>Creates a builder.</summary>
    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder([]);

    /// <summary>Creates a builder.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args);

    /// <summary>Creates a builder.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options) => new DistributedApplicationBuilder(options);

    /// <summary>Starts the graph; returns when every resource that starts by itself has been started.</summary>
    /// <exception cref="DistributedApplicationException">The orchestrator is missing or a fixed port is taken.</exception>
    public virtual async Task StartAsync(CancellationToken cancellationToken = default)
    {
        var appHost = Services.GetRequiredService<AppHostInfo>();
        LogVersion(Logger, typeof(DistributedApplication).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");
        LogStarting(Logger);
        LogDirectory(Logger, appHost.Directory);
        var eventing = Services.GetRequiredService<IDistributedApplicationEventing>();
        var executionContext = Services.GetRequiredService<DistributedApplicationExecutionContext>();
        foreach (var subscriber in Services.GetServices<IDistributedApplicationEventingSubscriber>())
        {
            await subscriber.SubscribeAsync(eventing, executionContext, cancellationToken);
        }

        var model = Services.GetRequiredService<DistributedApplicationModel>();
        await eventing.PublishAsync(new BeforeStartEvent(Services, model), cancellationToken);
        await _host.StartAsync(cancellationToken);
        LogStarted(Logger);
    }

    /// <summary>Stops the graph: dependents first. Leaves no process.</summary>
    public virtual Task StopAsync(CancellationToken cancellationToken = default)
        => Interlocked.Exchange(ref _stopped, 1) == 0 ? _host.StopAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Runs the graph until Ctrl-C, SIGTERM or cancellation.</summary>
    public virtual async Task RunAsync(CancellationToken cancellationToken = default)
    {
        var lifetime = Services.GetRequiredService<IHostApplicationLifetime>();
        try
        {
            await StartAsync(cancellationToken);
            await WaitForShutdownAsync(lifetime, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Stopped while it started.
        }
        finally
        {
            await StopAsync(CancellationToken.None);
            await DisposeAsync();
        }
    }

    /// <summary>
    /// Runs the graph until Ctrl-C or SIGTERM. A graph that cannot start is one sentence on standard error and exit code 1: this is
    /// the last call of a program, and a user has no use for its stack.
    /// </summary>
    public void Run()
    {
        try
        {
            RunAsync().GetAwaiter().GetResult();
        }
        catch (DistributedApplicationException ex)
        {
            Console.Error.WriteLine(ex.Message);
            Environment.ExitCode = 1;
        }
    }

    /// <inheritdoc />
    public virtual void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc />
    public virtual async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        if (_host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
        else
        {
            _host.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    private static async Task WaitForShutdownAsync(IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var onStopping = lifetime.ApplicationStopping.Register(() => stopping.TrySetResult());
        await using var onCancelled = cancellationToken.Register(() => stopping.TrySetResult());
        await stopping.Task;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Aspire AppHost version: {Version}")]
    private static partial void LogVersion(ILogger logger, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "Distributed application starting.")]
    private static partial void LogStarting(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "Application host directory is: {Directory}")]
    private static partial void LogDirectory(ILogger logger, string directory);

    [LoggerMessage(Level = LogLevel.Information, Message = "Distributed application started. Press Ctrl+C to shut down.")]
    private static partial void LogStarted(ILogger logger);
}
