using System.Diagnostics;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>A builder without an app host program: the test makes the graph.</summary>
internal sealed class DirectTestingBuilder : TestingBuilder
{
    private DistributedApplication? _application;

    private DirectTestingBuilder(DistributedApplicationBuilder inner)
        : base(inner)
    {
        inner.Services.AddHttpClient();
        if (!inner.Configuration.GetValue("ASPIRE_TESTING_DISABLE_HTTP_CLIENT", false))
        {
            inner.Services.ConfigureHttpClientDefaults(client => client.AddStandardResilienceHandler());
        }
    }

    public static DirectTestingBuilder Create(
        string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings>? configureBuilder)
    {
        var appHost = AppHostOnCallStack();
        using var subscription = BuilderDiagnostics.Listener.Subscribe(new OnThisThread((options, hostOptions) =>
        {
            TestDefaults.Apply(options, hostOptions, appHost, []);
            configureBuilder?.Invoke(options, hostOptions);
        }));
        return new DirectTestingBuilder(new DistributedApplicationBuilder(new DistributedApplicationOptions { Args = args }));
    }

    public override Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_application = Inner.Build());
    }

    public override ValueTask DisposeAsync() => _application?.DisposeAsync() ?? ValueTask.CompletedTask;

    // The tests' own project may be an app host as far as the paths of the orchestrator go.
    private static Assembly? AppHostOnCallStack()
        => new StackTrace().GetFrames()
            .Select(frame => frame.GetMethod()?.DeclaringType?.Assembly)
            .FirstOrDefault(assembly => TestDefaults.Metadata(assembly, "dcpclipath") is not null);

    private sealed class OnThisThread(Action<DistributedApplicationOptions, HostApplicationBuilderSettings> constructing)
        : IObserver<KeyValuePair<string, object?>>
    {
        private readonly Thread _thread = Thread.CurrentThread;

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (Thread.CurrentThread == _thread && value.Value is BuilderDiagnostics.BuilderConstructing payload)
            {
                constructing(payload.Options, payload.HostOptions);
            }
        }
    }
}
