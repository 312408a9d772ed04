using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>Runs an app host in a test; derived classes change it on the way, as fixtures do.</summary>
/// <param name="entryPoint">A type of the app host's assembly, such as <c>Projects.AppHost</c>.</param>
/// <param name="args">Arguments for <c>Main</c>; they win over all other settings.</param>
public class DistributedApplicationFactory(Type entryPoint, string[] args) : IDisposable, IAsyncDisposable
{
    private readonly string[] _args = TestDefaults.Checked(args);
    private readonly Type _entryPoint = entryPoint ?? throw new ArgumentNullException(nameof(entryPoint));
    private AppHostProgram? _program;
    private DistributedApplication? _application;

    /// <summary>Runs an app host without arguments.</summary>
    public DistributedApplicationFactory(Type entryPoint)
        : this(entryPoint, [])
    {
    }

    /// <summary>Runs <c>Main</c> and waits until it has started the app.</summary>
    /// <exception cref="InvalidOperationException">Called twice; or <c>Main</c> ended before.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        var program = new AppHostProgram(_entryPoint, _args, new AppHostProgram.Hooks(
            (options, hostOptions) =>
            {
                TestDefaults.Apply(options, hostOptions, _entryPoint.Assembly, _args);
                OnBuilderCreating(options, hostOptions);
            },
            OnBuilderCreated,
            builder =>
            {
                builder.Services.AddHttpClient();
                OnBuilding(builder);
            },
            OnBuilt));
        if (Interlocked.CompareExchange(ref _program, program, null) is not null)
        {
            throw new InvalidOperationException("The app has been started already.");
        }

        await program.RunToBuildAsync(cancellationToken);
        _application = await program.BuildAsync(cancellationToken);
        await program.StartAsync(cancellationToken);
    }

    /// <inheritdoc cref="DistributedApplicationHostingTestingExtensions.CreateHttpClient" />
    public HttpClient CreateHttpClient(string resourceName, string? endpointName = null)
        => Started().CreateHttpClient(resourceName, endpointName);

    /// <inheritdoc cref="DistributedApplicationHostingTestingExtensions.GetConnectionStringAsync" />
    public ValueTask<string?> GetConnectionString(string resourceName) => Started().GetConnectionStringAsync(resourceName);

    /// <inheritdoc cref="DistributedApplicationHostingTestingExtensions.GetEndpoint" />
    public Uri GetEndpoint(string resourceName, string? endpointName = null) => Started().GetEndpoint(resourceName, endpointName);

    /// <summary>Stops the app.</summary>
    public virtual void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    /// <summary>Stops the app.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        if (_program is { } program)
        {
            await program.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Called before the builder is made; the options may be changed.</summary>
    protected virtual void OnBuilderCreating(DistributedApplicationOptions applicationOptions, HostApplicationBuilderSettings hostOptions)
    {
    }

    /// <summary>Called when the builder has been made; the graph is empty.</summary>
    protected virtual void OnBuilderCreated(DistributedApplicationBuilder applicationBuilder)
    {
    }

    /// <summary>Called when <c>Main</c> builds the app; the graph is complete and may be changed.</summary>
    protected virtual void OnBuilding(DistributedApplicationBuilder applicationBuilder)
    {
    }

    /// <summary>Called when the app has been built.</summary>
    protected virtual void OnBuilt(DistributedApplication application)
    {
    }

    private DistributedApplication Started()
        => _application ?? throw new InvalidOperationException("The app is not started: call StartAsync first.");
}
