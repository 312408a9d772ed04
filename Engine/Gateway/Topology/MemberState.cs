using MongoDB.Bson;

namespace Platform.Gateway.Topology;

/// <summary>
/// What this member is, and so which commands can be served. Clients that wait in <c>hello</c> learn of each change at once, so they
/// hold their commands back while the backend restarts, or go to the new primary, instead of failing.
/// </summary>
internal sealed class MemberState
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;

    // A gateway that does not run its PostgreSQL itself is a set of one.
    private MemberRole _role = MemberRole.Primary;

    /// <summary>Identifies this run of the gateway in <c>topologyVersion</c>.</summary>
    public ObjectId ProcessId { get; } = ObjectId.GenerateNewId();

    /// <summary>Counts the changes of state.</summary>
    public long Version { get; private set; }

    /// <summary>
    /// Counts how often the backend was lost or found, and the member became primary or ceased to be; connections of an earlier period are dead.
    /// </summary>
    public long Generation { get; private set; }

    /// <summary>Whether the backend answers.</summary>
    public bool IsAvailable { get; private set; }

    /// <summary>The latest term that is known: it rises with each election.</summary>
    public long Term { get; private set; } = 1;

    /// <summary>Since when it is what it is.</summary>
    public DateTime Since { get; private set; } = DateTime.UtcNow;

    /// <summary>What the member is: nothing that serves while the backend is away, or a stop is under way.</summary>
    public MemberRole Role => _role is MemberRole.Primary or MemberRole.Secondary && (!IsAvailable || _stopping) ? MemberRole.Recovering : _role;

    /// <summary>Whether the member takes writes.</summary>
    public bool IsPrimary => Role == MemberRole.Primary;

    /// <summary>Whether the member takes reads only.</summary>
    public bool IsSecondary => Role == MemberRole.Secondary;

    /// <summary>Whether the member takes commands.</summary>
    public bool IsServing => Role is MemberRole.Primary or MemberRole.Secondary;

    /// <summary>Whether the gateway is going to stop.</summary>
    public bool IsStopping => _stopping;

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

    /// <summary>The member becomes something else, or learns of a later term.</summary>
    public void Become(MemberRole role, long term) => Change(() =>
    {
        if (_role == role && Term == term)
        {
            return false;
        }

        Since = _role == role ? Since : DateTime.UtcNow;
        // Nothing that was opened before it became primary, or ceased to be, is used again.
        Generation += (_role == MemberRole.Primary) != (role == MemberRole.Primary) ? 1 : 0;
        (_role, Term) = (role, term);
        return true;
    });

    /// <summary>What is known of the other members has changed in a way that clients want to know.</summary>
    public void SetChanged() => Change(static () => true);

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
