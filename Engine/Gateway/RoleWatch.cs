using Platform.Gateway.Sessions;
using Platform.Gateway.Topology;

namespace Platform.Gateway;

/// <summary>
/// Ends what belonged to the primary when this member is primary no more. With one member nobody else becomes primary, and what it remembers stays true.
/// </summary>
internal sealed class RoleWatch(ReplicaSet replicaSet, MemberState state, SessionStore sessions) : BackgroundService
{
    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (was, term) = (false, state.Term);
        while (replicaSet.Members.Count > 1 && !stoppingToken.IsCancellationRequested)
        {
            var changed = state.Changed;
            if (was && (!state.IsPrimary || state.Term != term))
            {
                await sessions.ForgetAsync("the member is not primary any more");
            }

            (was, term) = (state.IsPrimary, state.Term);
            await changed.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
