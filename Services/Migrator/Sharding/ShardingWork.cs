using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Sharding.Simulation;

namespace Platform.Migrator.Sharding;

/// <summary>Compares a server with what is declared, and sends what is left to do.</summary>
/// <param name="cluster">The server.</param>
/// <param name="database">The name of the database.</param>
/// <param name="options">The settings.</param>
internal sealed class ShardingWork(ICluster cluster, string database, ShardingOptions options)
{
    private const long Mebibyte = 1024 * 1024;

    private readonly ClusterReader _reader = new(cluster, database);

    /// <summary>The commands that <see cref="ApplyAsync"/> would send.</summary>
    public async Task<ShardingPlanReport> PlanAsync(CancellationToken cancellationToken)
    {
        var (state, planner) = await ReadAsync(sizes: false, cancellationToken);
        var steps = planner.Framed(planner.Compare(state), state);
        return new ShardingPlanReport(state.IsCluster, !state.IsCluster || steps.Count == 0, Numbered(steps), [.. planner.Problems(state)]);
    }

    /// <summary>
    /// Sends what is left to do, in order. What it was cut off from it goes on with the next time: what is done is not sent again.
    /// </summary>
    /// <param name="allowMoves">Whether to send also what moves data that was placed on purpose.</param>
    /// <param name="sent">Is told of each command that was sent, with its number and how many there are.</param>
    /// <param name="cancellationToken">Stops it between two commands.</param>
    /// <exception cref="JobRefusedException">The server is no cluster, or something stands in the way; nothing was sent.</exception>
    /// <exception cref="InvalidOperationException">The cluster is not as declared although all was sent.</exception>
    public async Task<ShardingApplyReport> ApplyAsync(bool allowMoves, Action<ShardingStep, int, int>? sent, CancellationToken cancellationToken)
    {
        var (state, planner) = await ReadAsync(sizes: false, cancellationToken);
        if (!state.IsCluster)
        {
            throw new JobRefusedException($"{ShardingText.NoCluster} 'sharding apply' needs the connection string of a mongos.");
        }

        if (planner.Problems(state).FirstOrDefault() is { } problem)
        {
            throw new JobRefusedException(problem);
        }

        var all = planner.Compare(state);
        var steps = planner.Framed([.. all.Where(step => allowMoves || !step.NeedsPermission)], state);
        foreach (var (index, step) in steps.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            await cluster.RunAsync(step.On, step.Command, cancellationToken);
            sent?.Invoke(step, index + 1, steps.Count);
        }

        var left = all.Where(step => !allowMoves && step.NeedsPermission).ToList();
        if (steps.Count > 0)
        {
            var after = await _reader.ReadAsync(sizes: false, cancellationToken);
            var still = planner.Framed([.. planner.Compare(after).Where(step => allowMoves || !step.NeedsPermission)], after);
            if (still.Count > 0)
            {
                throw new InvalidOperationException(
                    $"The cluster took all commands and is still not as declared: {still[0].Subject} ({still[0].Reason}) 'migrator sharding plan' shows "
                        + "all of it.");
            }
        }

        return new ShardingApplyReport(left.Count == 0, Numbered(steps), Numbered(left));
    }

    /// <summary>How the cluster stands.</summary>
    public async Task<ShardingStatusReport> StatusAsync(CancellationToken cancellationToken)
    {
        var (state, planner) = await ReadAsync(sizes: true, cancellationToken);
        if (!state.IsCluster)
        {
            return new ShardingStatusReport(false, true, null, null, null, [], [], []);
        }

        var steps = planner.Framed(planner.Compare(state), state);
        var collections = CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded).Select(collection => Row(collection, state)).ToList();
        return new ShardingStatusReport(
            true,
            steps.Count == 0,
            state.BalancerIsOn,
            state.Window.From.Length == 0 ? null : $"{state.Window.From} and {state.Window.Until}",
            state.PrimaryShard,
            [
                .. state.Shards.Select(shard => new ShardStatus(
                    shard.Name, shard.Zones, shard.IsDraining, state.Collections.Values.Sum(collection => collection.Ranges.GetValueOrDefault(shard.Name)),
                    state.Collections.Values.Sum(collection => collection.Bytes.GetValueOrDefault(shard.Name)))),
            ],
            collections,
            [.. Notes(state, collections)]);
    }

    private async Task<(ClusterState State, ShardingPlanner Planner)> ReadAsync(bool sizes, CancellationToken cancellationToken)
    {
        var state = await _reader.ReadAsync(sizes, cancellationToken);
        var slugs = options.Regions.SelectMany(region => region.Value.Tenants).Distinct(StringComparer.Ordinal).ToList();
        return (state, new ShardingPlanner(database, options, await _reader.ReadTenantsAsync(slugs, cancellationToken)));
    }

    private static ShardedCollectionStatus Row(CollectionDefinition collection, ClusterState state)
    {
        var sharded = state.Collections.GetValueOrDefault(collection.Name);
        var held = state.Shards.Where(shard => !shard.IsDraining).Select(shard => sharded?.Bytes.GetValueOrDefault(shard.Name) ?? 0).DefaultIfEmpty().ToList();
        return new ShardedCollectionStatus(
            collection.Name,
            sharded is null ? null : QueryShape.Text(sharded.Key),
            sharded?.Ranges.Values.Sum() ?? 0,
            sharded?.Jumbo ?? 0,
            sharded?.Bytes.Values.Sum() ?? 0,
            held.Max() - held.Min(),
            Balancer.Threshold * (sharded?.RangeMebibytes ?? state.RangeMebibytes) * Mebibyte,
            sharded?.Orphans ?? 0);
    }

    private static IEnumerable<string> Notes(ClusterState state, List<ShardedCollectionStatus> collections)
    {
        foreach (var shard in state.Shards.Where(shard => shard.IsDraining))
        {
            yield return $"{shard.Name} is being drained.";
        }

        foreach (var row in collections.Where(row => row.Jumbo > 0))
        {
            yield return $"{row.Collection} has ranges that are too large to move: the balancer passes them over.";
        }

        // Zones keep what belongs to them apart, however much it is.
        foreach (var row in collections.Where(row => row.SpreadBytes >= row.ThresholdBytes && state.Zones.All(zone => zone.Collection != row.Collection)))
        {
            yield return $"{row.Collection} is not evened out yet"
                + (state.BalancerIsOn ? "." : ", and the balancer is off.");
        }
    }

    private static List<PlannedStep> Numbered(IReadOnlyList<ShardingStep> steps) =>
        [.. steps.Select((step, index) => new PlannedStep(index + 1, step.Kind, step.Subject, step.Shell(), step.NeedsPermission, step.Reason))];
}
