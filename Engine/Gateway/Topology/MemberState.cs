using MongoDB.Bson;

namespace Platform.Gateway.Topology;

/// <summary>
/// Whether commands can be served. Clients that wait in <c>hello</c> learn of each change at once, so they hold their
/// commands back while the backend restarts instead of failing.
/// </summary>
internal sealed class MemberState
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;

    /// <summary>Identifies this run of the gateway in <c>topologyVersion</c>.</summary>
    public ObjectId ProcessId { get; } = ObjectId.GenerateNewId();

    /// <summary>Counts the changes of state.</summary>
    public long Version { get; private set; }

    /// <summary>Counts how often the backend was found again; connections of an earlier period are dead.</summary>
    public long Generation { get; private set; }

    /// <summary>Whether the backend answers.</summary>
    public bool IsAvailable { get; private set; }

    /// <summary>Whether the gateway takes commands: the backend answers and no stop is under way.</summary>
    public bool IsPrimary => IsAvailable && !_stopping;

    /// <summary>Ends at the next change of state.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>Ends when the backend is lost; ended already while it is away after a loss.</summary>
    public Task WhenLost
    {
        get
        {
            lock (_gate)
            {
                return _lost.Task;
            }
        }
    }

    /// <summary>Waits until the backend answers, but not longer than <paramref name="limit"/>.</summary>
    public async ValueTask WaitAvailableAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(limit, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        for (var changed = Changed; !IsAvailable && !ended.IsCancellationRequested; changed = Changed)
        {
            await changed.WaitAsync(ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>The backend answers.</summary>
    public void Found() => Change(() =>
    {
        if (IsAvailable)
        {
            return false;
        }

        IsAvailable = true;
        Generation++;
        if (_lost.Task.IsCompleted)
        {
            _lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return true;
    });

    /// <summary>The backend does not answer any more.</summary>
    public void Lost() => Change(() =>
    {
        if (!IsAvailable)
        {
            return false;
        }

        IsAvailable = false;
        Generation++;
        _lost.TrySetResult();
        return true;
    });

    /// <summary>The gateway is going to stop.</summary>
    public void Stop() => Change(() => !_stopping && (_stopping = true));

    private void Change(Func<bool> change)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            if (!change())
            {
                return;
            }

            Version++;
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }
}
