using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// Console logs of the resources, by instance id. The last 10,000 lines of each are kept; a watcher gets these first, then what is
/// written from then on.
/// </summary>
public class ResourceLoggerService : IDisposable
{
    /// <summary>The number of lines kept for each instance.</summary>
    internal const int Capacity = 10_000;

    private readonly ConcurrentDictionary<string, ResourceLog> _logs = new(StringComparer.OrdinalIgnoreCase);
    private readonly CancellationTokenSource _disposed = new();

    /// <summary>The clock of the timestamps.</summary>
    internal TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Gets a logger that writes to the console logs of all instances of a resource.</summary>
    public ILogger GetLogger(IResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);

        // Asked for at each line: the instances of a resource are named only when the graph starts.
        return new ResourceLogger(this, resource.GetResolvedResourceNames);
    }

    /// <summary>Gets a logger that writes to the console log of one instance.</summary>
    /// <param name="resourceName">The instance id.</param>
    public ILogger GetLogger(string resourceName)
    {
        ArgumentException.ThrowIfNullOrEmpty(resourceName);
        return new ResourceLogger(this, () => [resourceName]);
    }

    /// <summary>Watches the console logs of all instances that the resource has now; ends when these have been completed.</summary>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(IResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return WatchAllAsync(resource.GetResolvedResourceNames);
    }

    /// <summary>Watches the console log of one instance; ends when it has been completed.</summary>
    /// <param name="resourceName">The instance id; an unknown one has an empty log.</param>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(string resourceName)
    {
        ArgumentException.ThrowIfNullOrEmpty(resourceName);
        return WatchOneAsync(resourceName);
    }

    /// <summary>Reads what has been written so far by all instances of a resource.</summary>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(IResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return resource.GetResolvedResourceNames().ToAsyncEnumerable().Select(Written).Where(lines => lines.Count > 0);
    }

    /// <summary>Reads what has been written so far by one instance.</summary>
    /// <param name="resourceName">The instance id.</param>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(string resourceName)
    {
        ArgumentException.ThrowIfNullOrEmpty(resourceName);
        return new[] { resourceName }.ToAsyncEnumerable().Select(Written).Where(lines => lines.Count > 0);
    }

    /// <summary>Ends the watches of a resource: its instances write nothing more.</summary>
    public void Complete(IResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        foreach (var id in resource.GetResolvedResourceNames())
        {
            Complete(id);
        }
    }

    /// <summary>Ends the watches of one instance.</summary>
    /// <param name="name">The instance id.</param>
    public void Complete(string name) => Log(name).Complete();

    /// <summary>Forgets what one instance has written.</summary>
    /// <param name="resourceName">The instance id.</param>
    public void ClearBacklog(string resourceName) => Log(resourceName).Clear();

    /// <inheritdoc />
    public void Dispose()
    {
        // Cancelled, not disposed: watchers may still link to it.
        _disposed.Cancel();
        GC.SuppressFinalize(this);
    }

    /// <summary>Adds text that an instance wrote.</summary>
    /// <param name="resourceId">The instance id.</param>
    /// <param name="text">One or more lines without timestamps (take them off with <see cref="LogTimestamp.TrySplit"/>).</param>
    /// <param name="isError">Whether it was written to standard error.</param>
    /// <param name="timestamp">When it was written; null: now.</param>
    internal void Append(string resourceId, string text, bool isError, DateTimeOffset? timestamp = null)
    {
        var time = timestamp ?? TimeProvider.GetUtcNow();
        Log(resourceId).Add(
            text.TrimEnd('\r', '\n').Split('\n').Select(line => LogTimestamp.Stamp(time, line.TrimEnd('\r'))),
            isError);
    }

    /// <summary>The last lines of an instance, without their timestamps.</summary>
    internal IReadOnlyList<string> Tail(string resourceId, int count) => Log(resourceId).Tail(count);

    /// <summary>Waits until an instance has written a line after number <paramref name="seen"/>.</summary>
    internal async Task WaitForLineAsync(string resourceId, int seen, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        while (Log(resourceId).Read(seen + 1) is { Lines.Count: 0 } state)
        {
            await state.Changed.WaitAsync(linked.Token);
        }
    }

    private ResourceLog Log(string id) => _logs.GetOrAdd(id, _ => new ResourceLog(Capacity));

    private IReadOnlyList<LogLine> Written(string id) => Log(id).Read(0).Lines;

    private async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchOneAsync(
        string id,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        var log = Log(id);
        var from = 0;
        while (true)
        {
            var (lines, next, completed, changed) = log.Read(from);
            from = next;
            if (lines.Count > 0)
            {
                yield return lines;
            }
            else if (completed)
            {
                yield break;
            }
            else
            {
                await changed.WaitAsync(linked.Token);
            }
        }
    }

    private async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAllAsync(
        Func<string[]> ids,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // One slot: the watches wait for the reader instead of filling memory.
        var merged = Channel.CreateBounded<IReadOnlyList<LogLine>>(1);
        var watches = Task.WhenAll(ids().Select(async id =>
        {
            await foreach (var lines in WatchOneAsync(id, stop.Token))
            {
                await merged.Writer.WriteAsync(lines, stop.Token);
            }
        })).ContinueWith(
            all => merged.Writer.TryComplete(all.Exception?.InnerException ?? (all.IsCanceled ? new OperationCanceledException() : null)),
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
        try
        {
            await foreach (var lines in merged.Reader.ReadAllAsync(cancellationToken))
            {
                yield return lines;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await watches;
        }
    }

    private sealed class ResourceLogger(ResourceLoggerService service, Func<string[]> ids) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            var text = formatter(state, exception);
            text = exception is null ? text : $"{text}\n{exception}";
            foreach (var id in ids())
            {
                service.Append(id, text, isError: logLevel >= LogLevel.Error);
            }
        }
    }
}
