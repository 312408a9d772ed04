using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Platform.Tests.Conformance.Offline;

/// <summary>A graph with states, console logs and commands, and nothing that runs it.</summary>
internal sealed class ObservedGraph : IDisposable
{
    public ObservedGraph(params IResource[] resources)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new DistributedApplicationModel(resources));
        services.AddSingleton<IHostApplicationLifetime>(Lifetime);
        services.AddLogging();
        services.AddResourceObservation(forwardLogs: false);
        Services = services.BuildServiceProvider();
    }

    public ServiceProvider Services { get; }

    public Lifetimes Lifetime { get; } = new();

    public ResourceNotificationService Notifications => Services.GetRequiredService<ResourceNotificationService>();

    public ResourceLoggerService Logs => Services.GetRequiredService<ResourceLoggerService>();

    public ResourceCommandService Commands => Services.GetRequiredService<ResourceCommandService>();

    public Task PublishStateAsync(IResource resource, string state, int? exitCode = null)
        => Notifications.PublishUpdateAsync(resource, s => s with { State = state, ExitCode = exitCode });

    public Task PublishHealthAsync(IResource resource, params HealthReportSnapshot[] reports)
        => Notifications.PublishUpdateAsync(resource, s => s.WithHealthReports([.. reports]));

    public Task PublishReadyAsync(IResource resource, Task? handlers = null)
        => Notifications.PublishUpdateAsync(
            resource,
            s => s with { ResourceReadyEvent = new EventSnapshot(handlers ?? Task.CompletedTask) });

    public void Dispose()
    {
        Services.Dispose();
        Lifetime.Dispose();
    }

    internal sealed class Lifetimes : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => new(canceled: true);

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }
}

/// <summary>A resource that a test moves by hand.</summary>
internal sealed class Part(string name) : Resource(name), IResourceWithWaitSupport
{
    public Part WaitingFor(IResource other, WaitType type = WaitType.WaitUntilHealthy, int exitCode = 0, WaitBehavior? behavior = null)
    {
        Annotations.Add(new WaitAnnotation(other, type, exitCode) { WaitBehavior = behavior });
        return this;
    }

    public Part Checked(string key)
    {
        Annotations.Add(new HealthCheckAnnotation(key));
        return this;
    }
}
