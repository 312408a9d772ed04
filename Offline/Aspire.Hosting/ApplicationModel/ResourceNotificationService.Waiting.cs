using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public partial class ResourceNotificationService
{
    private enum Progress
    {
        Waiting,
        Reached,
    }

    /// <summary>Waits until an instance of a resource is in a state.</summary>
    /// <param name="resourceName">The name of the resource.</param>
    /// <param name="targetState">The state. Default: <see cref="KnownResourceStates.Running"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DistributedApplicationException">There is no such resource.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, or the app host stops; the message says what the resource was doing.</exception>
    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default)
        => WaitForResourceAsync(resourceName, [targetState ?? KnownResourceStates.Running], cancellationToken);

    /// <summary>Waits until an instance of a resource is in one of several states.</summary>
    /// <returns>The state reached.</returns>
    /// <inheritdoc cref="WaitForResourceAsync(string, string?, CancellationToken)" path="/exception" />
    public async Task<string> WaitForResourceAsync(
        string resourceName,
        IEnumerable<string> targetStates,
        CancellationToken cancellationToken = default)
    {
        var states = targetStates.ToArray();
        var reached = await WaitForAsync(
            resourceName,
            $"reach the state {string.Join(" or ", states.Select(s => $"'{s}'"))}",
            e => e.Snapshot.State is { } state && states.Contains(state.Text, StringComparer.OrdinalIgnoreCase)
                ? Progress.Reached
                : Progress.Waiting,
            cancellationToken);
        return reached.Snapshot.State!.Text;
    }

    /// <summary>Waits until a state of an instance of a resource fulfils a condition.</summary>
    /// <returns>The state that does.</returns>
    /// <inheritdoc cref="WaitForResourceAsync(string, string?, CancellationToken)" path="/exception" />
    public Task<ResourceEvent> WaitForResourceAsync(
        string resourceName,
        Func<ResourceEvent, bool> predicate,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return WaitForAsync(
            resourceName,
            "fulfil a condition",
            e => predicate(e) ? Progress.Reached : Progress.Waiting,
            cancellationToken);
    }

    /// <summary>Waits until a resource is healthy and the handlers of its <see cref="ResourceReadyEvent"/> have run.</summary>
    /// <returns>The state reached.</returns>
    /// <exception cref="DistributedApplicationException">There is no such resource, or it failed and the graph's waits fail with it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, or the app host stops; the message says what the resource was doing.</exception>
    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default)
        => WaitForResourceHealthyAsync(resourceName, DefaultWaitBehavior, cancellationToken);

    /// <summary>Waits until a resource is healthy and the handlers of its <see cref="ResourceReadyEvent"/> have run.</summary>
    /// <param name="resourceName">The name of the resource.</param>
    /// <param name="waitBehavior">What to do when the resource fails.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The state reached.</returns>
    /// <exception cref="DistributedApplicationException">There is no such resource, or it failed and
    /// <paramref name="waitBehavior"/> is to fail too.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, or the app host stops; the message says what the resource was doing.</exception>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(
        string resourceName,
        WaitBehavior waitBehavior,
        CancellationToken cancellationToken = default)
    {
        const string goal = "become healthy";
        var reached = await WaitForAsync(
            resourceName,
            goal,
            e =>
            {
                if (e.Snapshot.HealthStatus == HealthStatus.Healthy && e.Snapshot.ResourceReadyEvent is not null)
                {
                    return Progress.Reached;
                }

                ThrowIfUnavailable(e, goal, waitBehavior);
                return Progress.Waiting;
            },
            cancellationToken);
        await reached.Snapshot.ResourceReadyEvent!.EventTask.WaitAsync(cancellationToken);
        return reached;
    }

    /// <summary>
    /// Waits for everything that a resource is to wait for before it starts. Meanwhile its state is
    /// <see cref="KnownResourceStates.Waiting"/>; a user who starts it then ends the wait.
    /// </summary>
    /// <exception cref="DistributedApplicationException">A dependency failed, or ended with another exit code than expected.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, or the app host stops.</exception>
    public async Task WaitForDependenciesAsync(IResource resource, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resource);
        var waits = resource.Annotations.OfType<WaitAnnotation>()
            .Where(w => w.Resource is not IResourceWithoutLifetime)
            .DistinctBy(w => (w.Resource, w.WaitType, w.ExitCode))
            .ToArray();
        if (waits.Length == 0)
        {
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waitingFor = Names(waits);
        await PublishUpdateAsync(resource, s => s with
        {
            State = KnownResourceStates.Waiting,
            Properties = s.Properties.WithProperty(KnownProperties.Resource.WaitingFor, waitingFor),
        });

        // Before the waits: nothing that happens to the resource from here on is missed.
        var startedByUser = LeavesWaitingAsync(resource, stop.Token);
        var pending = waits.ToDictionary(w => (Task)WaitForDependencyAsync(resource, w, stop.Token));
        try
        {
            while (pending.Count > 0)
            {
                var first = await Task.WhenAny([.. pending.Keys, startedByUser]);
                pending.Remove(first);
                await first;
                if (first == startedByUser)
                {
                    return;
                }

                waitingFor = Names(pending.Values);
                await PublishUpdateAsync(resource, s => s.State?.Text != KnownResourceStates.Waiting
                    ? s
                    : s with { Properties = s.Properties.WithProperty(KnownProperties.Resource.WaitingFor, waitingFor) });
            }
        }
        finally
        {
            await stop.CancelAsync();
            await PublishUpdateAsync(resource, s => s with
            {
                State = s.State?.Text == KnownResourceStates.Waiting ? KnownResourceStates.Starting : s.State,
                Properties = s.Properties.WithProperty(KnownProperties.Resource.WaitingFor, null),
            });

            // The first failure is the one that is thrown; the others end with the cancellation above, and are observed here.
            await Task.WhenAll([.. pending.Keys, startedByUser]).ContinueWith(
                all => all.Exception,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    private static ImmutableArray<string> Names(IEnumerable<WaitAnnotation> waits)
        => [.. waits.Select(w => w.Resource.Name).Distinct(StringComparer.OrdinalIgnoreCase)];

    private async Task WaitForDependencyAsync(IResource waiter, WaitAnnotation wait, CancellationToken cancellationToken)
    {
        var logger = _logs.GetLogger(waiter);
        var goal = wait.WaitType switch
        {
            WaitType.WaitForCompletion => "finish",
            WaitType.WaitUntilStarted => "start",
            _ => "become healthy",
        };
        LogWaiting(logger, wait.Resource.Name, goal);

        // All replicas have to pass.
        await Task.WhenAll(wait.Resource.GetResolvedResourceNames().Select(id => WaitForInstanceAsync(wait, id, goal, cancellationToken)));
        LogWaited(logger, wait.Resource.Name, goal);
    }

    private async Task WaitForInstanceAsync(WaitAnnotation wait, string id, string goal, CancellationToken cancellationToken)
    {
        var behavior = wait.WaitBehavior ?? DefaultWaitBehavior;
        var hasChecks = wait.Resource.Annotations.OfType<HealthCheckAnnotation>().Any();
        var wasRunning = false;
        Func<ResourceEvent, Progress> evaluate = wait.WaitType switch
        {
            WaitType.WaitForCompletion => Completion,
            WaitType.WaitUntilStarted => Start,
            _ => Health,
        };
        var reached = await WatchUntilAsync(
            e => SameName(e.ResourceId, id),
            evaluate,
            () => new DependencyWait(wait.Resource.Name, [id], goal),
            cancellationToken);
        if (wait.WaitType == WaitType.WaitUntilHealthy)
        {
            await reached.Snapshot.ResourceReadyEvent!.EventTask.WaitAsync(cancellationToken);
        }

        Progress Completion(ResourceEvent e)
        {
            var state = e.Snapshot.State?.Text;
            if (state == KnownResourceStates.FailedToStart)
            {
                throw Failure(e, "The resource '{0}' was expected to finish, but it failed to start.");
            }

            if (!KnownResourceStates.TerminalStates.Contains(state) && e.Snapshot.ExitCode is null)
            {
                return Progress.Waiting;
            }

            return e.Snapshot.ExitCode is null || e.Snapshot.ExitCode == wait.ExitCode
                ? Progress.Reached
                : throw Failure(
                    e,
                    $"The resource '{{0}}' was expected to finish with the exit code {wait.ExitCode}, but finished with {e.Snapshot.ExitCode}.");
        }

        Progress Start(ResourceEvent e)
        {
            if (e.Snapshot.State?.Text == KnownResourceStates.Running)
            {
                return Progress.Reached;
            }

            ThrowIfUnavailable(e, goal, behavior);
            return Progress.Waiting;
        }

        Progress Health(ResourceEvent e)
        {
            wasRunning |= e.Snapshot.State?.Text == KnownResourceStates.Running;
            if (wasRunning && e.Snapshot.ResourceReadyEvent is not null && (!hasChecks || e.Snapshot.HealthStatus == HealthStatus.Healthy))
            {
                return Progress.Reached;
            }

            // Without checks, a resource that has run is on its way to ready even if it has ended since.
            if (!wasRunning || hasChecks)
            {
                ThrowIfUnavailable(e, goal, behavior);
            }

            return Progress.Waiting;
        }
    }

    private async Task LeavesWaitingAsync(IResource resource, CancellationToken cancellationToken)
        => await WatchUntilAsync(
            e => ReferenceEquals(e.Resource, resource),
            e => e.Snapshot.State?.Text == KnownResourceStates.Waiting ? Progress.Waiting : Progress.Reached,
            () => new DependencyWait(resource.Name, resource.GetResolvedResourceNames(), "be started"),
            cancellationToken);

    private Task<ResourceEvent> WaitForAsync(
        string resourceName,
        string goal,
        Func<ResourceEvent, Progress> evaluate,
        CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(resourceName);
        ThrowIfUnknown(resourceName);
        return WatchUntilAsync(
            e => SameName(e.Resource.Name, resourceName),
            evaluate,
            () => new DependencyWait(resourceName, InstancesOf(resourceName), goal),
            cancellationToken);
    }

    private async Task<ResourceEvent> WatchUntilAsync(
        Func<ResourceEvent, bool> concerns,
        Func<ResourceEvent, Progress> evaluate,
        Func<DependencyWait> describe,
        CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await foreach (var resourceEvent in WatchAsync(cancellationToken))
            {
                if (concerns(resourceEvent) && evaluate(resourceEvent) == Progress.Reached)
                {
                    return resourceEvent;
                }
            }
        }
        catch (OperationCanceledException ex)
        {
            var wait = describe();
            var why = cancellationToken.IsCancellationRequested ? "was cancelled" : "ended because the app host stops";
            throw new OperationCanceledException(
                $"The wait for the resource '{wait.Name}' to {wait.Goal} {why} after "
                + $"{Seconds(Stopwatch.GetElapsedTime(started))}.{Environment.NewLine}{Describe(wait.Name, wait.Ids)}",
                ex,
                cancellationToken.IsCancellationRequested ? cancellationToken : ex.CancellationToken);
        }

        throw new UnreachableException("A watch ends by cancellation only.");
    }

    private void ThrowIfUnknown(string resourceName)
    {
        // Without a graph (a service used on its own) there is nothing to compare with.
        if (_services.GetService<DistributedApplicationModel>() is not { } model
            || model.Resources.TryGetByName(resourceName, out _)
            || Now().Any(e => SameName(e.Resource.Name, resourceName)))
        {
            return;
        }

        var known = string.Join(", ", model.Resources.Select(r => r.Name).Order(StringComparer.OrdinalIgnoreCase));
        throw new DistributedApplicationException(
            $"There is no resource named '{resourceName}'. The resources are: {(known.Length == 0 ? "none" : known)}.");
    }

    private void ThrowIfUnavailable(ResourceEvent resourceEvent, string goal, WaitBehavior behavior)
    {
        if (behavior != WaitBehavior.StopOnResourceUnavailable)
        {
            return;
        }

        var state = resourceEvent.Snapshot.State?.Text;
        if (state == KnownResourceStates.FailedToStart)
        {
            throw Failure(resourceEvent, $"The resource '{{0}}' was expected to {goal}, but it failed to start.");
        }

        if (state == KnownResourceStates.RuntimeUnhealthy)
        {
            throw Failure(resourceEvent, $"The resource '{{0}}' was expected to {goal}, but its container runtime does not answer.");
        }

        if (state is not null && KnownResourceStates.TerminalStates.Contains(state))
        {
            throw Failure(resourceEvent, $"The resource '{{0}}' was expected to {goal}, but it has ended.");
        }
    }

    private DistributedApplicationException Failure(ResourceEvent resourceEvent, string sentence)
        => new(sentence.Replace("{0}", resourceEvent.Resource.Name, StringComparison.Ordinal)
            + Environment.NewLine
            + Describe(resourceEvent.Resource.Name, [resourceEvent.ResourceId]));

    private sealed record DependencyWait(string Name, IReadOnlyList<string> Ids, string Goal);
}
