using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>
/// Runs the <c>Main</c> of an app host on a background thread and holds it back twice: at the start of <c>Build()</c>, so that a test
/// can change what <c>Main</c> put together, and at its end, so that nothing starts before the test says so.
/// </summary>
/// <remarks>
/// The thread's steps reach the test through the events of <see cref="BuilderDiagnostics"/>. Several programs may run at the same time:
/// an async-local value, which follows <c>Main</c> over its awaits, tells whose event it is.
/// </remarks>
internal sealed class AppHostProgram : IObserver<KeyValuePair<string, object?>>, IAsyncDisposable
{
    private const string TimeoutVariable = "DOTNET_HOST_FACTORY_RESOLVER_DEFAULT_TIMEOUT_IN_SECONDS";

    private static readonly AsyncLocal<AppHostProgram?> s_current = new();
    private static readonly TimeSpan s_exitGrace = TimeSpan.FromSeconds(5);

    private readonly MethodInfo _entryPoint;
    private readonly string[] _args;
    private readonly Hooks _hooks;
    private readonly TaskCompletionSource<DistributedApplicationBuilder> _building = NewSource<DistributedApplicationBuilder>();
    private readonly TaskCompletionSource<DistributedApplication> _built = NewSource<DistributedApplication>();
    private readonly TaskCompletionSource _started = NewSource();
    private readonly TaskCompletionSource _ended = NewSource();
    private readonly TaskCompletionSource _mayBuild = NewSource();
    private readonly TaskCompletionSource _mayStart = NewSource();
    private IDisposable? _subscription;
    private TimeSpan _shutdownTimeout = TimeSpan.FromSeconds(30);
    private int _disposed;

    public AppHostProgram(Type entryPoint, string[] args, Hooks hooks)
    {
        _args = args;
        _hooks = hooks;
        _entryPoint = entryPoint.Assembly.EntryPoint
            ?? throw new InvalidOperationException(
                $"The assembly {entryPoint.Assembly.GetName().Name} of {entryPoint.FullName} has no Main, so it is no app host: name a "
                + "type of the app host's assembly, such as Projects.AppHost.");
    }

    /// <summary>Runs <c>Main</c> up to its call of <c>Build()</c>.</summary>
    /// <exception cref="InvalidOperationException"><c>Main</c> ended without building an app.</exception>
    /// <exception cref="TimeoutException"><c>Main</c> did not build an app in time.</exception>
    public async Task<DistributedApplicationBuilder> RunToBuildAsync(CancellationToken cancellationToken)
    {
        _subscription = BuilderDiagnostics.Listener.Subscribe(this);
        new Thread(Run) { IsBackground = true, Name = $"Main of {_entryPoint.DeclaringType?.Assembly.GetName().Name}" }.Start();
        var limit = Timeout();
        try
        {
            return await _building.Task.WaitAsync(limit, cancellationToken);
        }
        catch (TimeoutException ex)
        {
            throw new TimeoutException(
                $"The app host's Main did not call Build() within {limit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s (see {TimeoutVariable}).", ex);
        }
    }

    /// <summary>Lets <c>Build()</c> go on, to its end.</summary>
    public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken)
    {
        _mayBuild.TrySetResult();
        return _built.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Lets <c>Main</c> go on and waits until it has started the app.</summary>
    /// <exception cref="InvalidOperationException"><c>Main</c> ended without starting the app.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _mayStart.TrySetResult();
        return _started.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Asks the app to stop and waits until it has.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_mayStart.Task.IsCompletedSuccessfully && _built.Task.IsCompletedSuccessfully && !_ended.Task.IsCompleted)
        {
            StopApplication(await _built.Task);
            await _ended.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Ends the program, wherever it is.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1 || _subscription is null)
        {
            return;
        }

        // A program that is held back is left by an exception: going on would start the app.
        var left = new ProgramLeftException();
        _mayBuild.TrySetException(left);
        var heldBack = _mayStart.TrySetException(left);
        if (!heldBack && _built.Task.IsCompletedSuccessfully)
        {
            StopApplication(await _built.Task);
        }

        try
        {
            await _ended.Task.WaitAsync(_shutdownTimeout + s_exitGrace);
        }
        catch (TimeoutException ex)
        {
            throw new TimeoutException(
                $"The app host did not stop within {(_shutdownTimeout + s_exitGrace).TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.", ex);
        }
        finally
        {
            _subscription.Dispose();
        }

        if (heldBack && _built.Task.IsCompletedSuccessfully)
        {
            await (await _built.Task).DisposeAsync();
        }
    }

    void IObserver<KeyValuePair<string, object?>>.OnCompleted()
    {
    }

    void IObserver<KeyValuePair<string, object?>>.OnError(Exception error)
    {
    }

    void IObserver<KeyValuePair<string, object?>>.OnNext(KeyValuePair<string, object?> value)
    {
        if (s_current.Value != this)
        {
            return;
        }

        switch (value.Key, value.Value)
        {
            case (BuilderDiagnostics.Constructing, BuilderDiagnostics.BuilderConstructing constructing):
                _hooks.Constructing(constructing.Options, constructing.HostOptions);
                break;
            case (BuilderDiagnostics.Constructed, DistributedApplicationBuilder builder):
                _hooks.Constructed(builder);
                break;
            case (BuilderDiagnostics.Building, DistributedApplicationBuilder builder):
                _building.TrySetResult(builder);
                _mayBuild.Task.GetAwaiter().GetResult();
                _hooks.Building(builder);
                break;
            case (BuilderDiagnostics.Built, DistributedApplication application):
                Watch(application);
                _hooks.Built(application);
                _built.TrySetResult(application);
                _mayStart.Task.GetAwaiter().GetResult();
                break;
        }
    }

    private static void StopApplication(DistributedApplication application)
    {
        try
        {
            application.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        }
        catch (ObjectDisposedException)
        {
            // Main has stopped and disposed the app already.
        }
    }

    private void Watch(DistributedApplication application)
    {
        var lifetime = application.Services.GetRequiredService<IHostApplicationLifetime>();
        lifetime.ApplicationStarted.Register(() => _started.TrySetResult());
        _shutdownTimeout = application.Services.GetService<Microsoft.Extensions.Options.IOptions<HostOptions>>()?.Value.ShutdownTimeout
            ?? _shutdownTimeout;
    }

    private void Run()
    {
        s_current.Value = this;
        Exception? failure = null;
        try
        {
            // The compiler's Main of an async program returns only when the program has ended.
            var result = _entryPoint.Invoke(null, _entryPoint.GetParameters().Length == 0 ? null : [_args]);
            (result as Task)?.GetAwaiter().GetResult();
        }
#pragma warning disable CA1031 // whatever Main throws is handed to the test, which awaits it
        catch (Exception ex)
#pragma warning restore CA1031
        {
            failure = ex is TargetInvocationException { InnerException: { } inner } ? inner : ex;
        }

        // In the order of the steps: who waits for a later one learns the cause as well.
        Fail(_building, failure ?? new InvalidOperationException("The app host's Main ended without building an app."));
        Fail(_built, failure ?? new InvalidOperationException("The app host's Main ended without finishing Build()."));
        var notStarted = failure ?? new InvalidOperationException("The app host's Main ended without starting the app.");
        if (_started.TrySetException(notStarted))
        {
            _ = _started.Task.Exception;
        }

        _ended.TrySetResult();
    }

    private static void Fail<T>(TaskCompletionSource<T> source, Exception failure)
    {
        if (source.TrySetException(failure))
        {
            // Observed: nobody may be waiting.
            _ = source.Task.Exception;
        }
    }

    private static TimeSpan Timeout()
        => Debugger.IsAttached ? System.Threading.Timeout.InfiniteTimeSpan
            : uint.TryParse(Environment.GetEnvironmentVariable(TimeoutVariable), CultureInfo.InvariantCulture, out var seconds)
                ? TimeSpan.FromSeconds(seconds)
                : TimeSpan.FromMinutes(5);

    private static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is called on the program's thread at each step.</summary>
    public sealed record Hooks(
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> Constructing,
        Action<DistributedApplicationBuilder> Constructed,
        Action<DistributedApplicationBuilder> Building,
        Action<DistributedApplication> Built)
    {
        public static Hooks With(Action<DistributedApplicationOptions, HostApplicationBuilderSettings> constructing)
            => new(constructing, static _ => { }, static _ => { }, static _ => { });
    }

    /// <summary>Leaves a <c>Main</c> that is held back when nobody will let it go on.</summary>
    private sealed class ProgramLeftException() : OperationCanceledException("The test ended without starting the app.");
}
