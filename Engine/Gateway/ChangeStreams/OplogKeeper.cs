using Platform.Gateway.Topology;

namespace Platform.Gateway.ChangeStreams;

/// <summary>Keeps the history of changes as long as it should be and no longer, and ends what nobody needs.</summary>
internal sealed partial class OplogKeeper(
    ChangeHistory history,
    Oplog oplog,
    WatchedImages images,
    ReplicaSet replicaSet,
    MemberState state,
    TimeProvider time,
    ILogger<OplogKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_lockedInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_sweepInterval = TimeSpan.FromMinutes(1);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var swept = time.GetUtcNow();
        HashSet<int> followers = [];
        while (!stoppingToken.IsCancellationRequested)
        {
            var changed = state.Changed;
            try
            {
                await oplog.ChangeRoleAsync(stoppingToken);
                if (state.IsServing)
                {
                    // Without a primary nobody can help with a new slot.
                    HashSet<int> now = replicaSet.Primary is null
                        ? followers
                        : [.. replicaSet.Others.Where(m => m.Role == MemberRole.Secondary).Select(m => m.Number)];
                    await history.RenewAsync([.. now.Except(followers)], stoppingToken);
                    followers = now;
                    await images.CompleteAsync(stoppingToken);
                    await oplog.RestAsync(stoppingToken);
                    if (time.GetUtcNow() - swept > s_sweepInterval)
                    {
                        swept = time.GetUtcNow();
                        await oplog.SweepAsync(stoppingToken);
                    }
                }
            }
#pragma warning disable CA1031 // The gateway does not end for the upkeep's sake.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                // Mostly the backend is away or busy; the next round does what this one could not.
                LogFailed(e.Message);
            }

            Task next = Task.WhenAny(changed, images.Incomplete, Task.Delay(s_interval, time, stoppingToken));
            await next.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (images.Incomplete.IsCompleted)
            {
                await Task.Delay(s_lockedInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "The history of changes was not looked after: {Reason}")]
    private partial void LogFailed(string reason);
}
