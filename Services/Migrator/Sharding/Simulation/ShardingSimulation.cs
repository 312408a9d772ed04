using System.Globalization;

namespace Platform.Migrator.Sharding.Simulation;

/// <summary>Plays out on numbers what a cluster does with the platform's data when shards come and go, a tenant moves, or one grows.</summary>
internal sealed class ShardingSimulation
{
    private const double Megabyte = 1_000_000;
    private const long Mebibyte = 1024 * 1024;

    private readonly SimulationScenario _scenario;
    private readonly TenantSizes _sizes;
    private readonly Balancer _balancer;
    private readonly List<string> _regions;
    private readonly int[] _regionOfShard;
    private readonly long[] _rangeBytes;
    private readonly int _tenant;

    // The tenant that is moved or grows has ranges of its own, as the bounds of a zone would give it.
    private readonly List<int>[] _rangesOfTenant;
    private readonly Dictionary<int, int> _ownerOfJumbo = [];

    private ShardingSimulation(SimulationScenario scenario)
    {
        _scenario = scenario;
        _sizes = scenario.Tenants;
        _tenant = scenario.Tenant ?? _sizes.Largest;
        _regions = [.. scenario.Regions];
        if (scenario.MoveTenantTo is { } region && !_regions.Contains(region))
        {
            _regions.Add(region);
        }

        _rangeBytes =
            [.. TenantSizes.Collections.Select(collection => (scenario.RangeMebibytes ?? collection.ShardKey.RangeMebibytes) * Mebibyte)];
        _rangesOfTenant = [.. TenantSizes.Collections.Select(_ => new List<int>())];
        var shards = scenario.Shards + scenario.AddShards;
        _balancer = new Balancer(_rangeBytes, shards, _regions.Count);
        _regionOfShard = [.. Enumerable.Range(0, shards).Select(RegionOfShard)];
        for (var shard = 0; shard < shards; shard++)
        {
            _balancer.SetThere(shard, shard < scenario.Shards);
            if (_regionOfShard[shard] > 0)
            {
                _balancer.SetMember(_regionOfShard[shard], shard, isMember: true);
            }
        }
    }

    /// <summary>What is wrong with a scenario, in a sentence; null when nothing is.</summary>
    public static string? Mistake(SimulationScenario scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        var all = scenario.Shards + scenario.AddShards;
        if (scenario.Drain.FirstOrDefault(shard => shard < 1 || shard > scenario.Shards) is > 0 and var unknown)
        {
            return string.Create(CultureInfo.InvariantCulture, $"There is no shard{unknown} to drain; there are {Count(scenario.Shards, "shard")}.");
        }

        if (scenario.Drain.Distinct().Count() >= all)
        {
            return "All shards would be drained: nothing is left to take the data.";
        }

        if (scenario.Shards < scenario.Regions.Count)
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"{scenario.Regions.Count} regions need as many shards, and there are {scenario.Shards}; set --shards.");
        }

        if (RangesOf(scenario) is > SimulationScenario.MostRanges and var ranges)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"That would be some {ranges:N0} ranges, of which {SimulationScenario.MostRanges:N0} can be simulated; set a larger --range-size.");
        }

        var left = new ShardingSimulation(scenario);
        foreach (var shard in scenario.Drain)
        {
            left._balancer.Drain(shard - 1);
        }

        for (var shard = 0; shard < all; shard++)
        {
            left._balancer.SetThere(shard, isThere: true);
        }

        return left._regions.Where((_, region) => !left._balancer.Pool(region + 1).Any()).FirstOrDefault() is { } empty
            ? $"The region {empty} would have no shard left."
            : null;
    }

    /// <summary>Runs a scenario.</summary>
    /// <param name="scenario">The scenario; <see cref="Mistake"/> finds nothing wrong with it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static SimulationReport Run(SimulationScenario scenario, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        return new ShardingSimulation(scenario).Run(cancellationToken);
    }

    private static long RangesOf(SimulationScenario scenario)
    {
        var smallest = scenario.RangeMebibytes ?? TenantSizes.Collections.Min(collection => collection.ShardKey.RangeMebibytes);
        var grown = (scenario.GrowTenant - 1) * (double)scenario.Tenants.Of(scenario.Tenant ?? scenario.Tenants.Largest);
        return (long)((scenario.Tenants.Total + grown) / (smallest * Mebibyte));
    }

    private SimulationReport Run(CancellationToken cancellationToken)
    {
        Place();
        // As the balancer has left the cluster.
        var moves = new List<Migration>();
        while (_balancer.Round(moves))
        {
            cancellationToken.ThrowIfCancellationRequested();
            moves.Clear();
        }

        var happened = Change();
        var before = Held();
        var spreads = Spreads();
        var migrations = new int[_balancer.Collections];
        var moved = new long[_balancer.Collections];
        var (gets, gives) = (new int[_balancer.Shards], new int[_balancer.Shards]);
        var (rounds, seconds) = (0, 0.0);
        for (moves.Clear(); _balancer.Round(moves); moves.Clear())
        {
            cancellationToken.ThrowIfCancellationRequested();
            rounds++;
            var longest = 0L;
            foreach (var move in moves)
            {
                var bytes = _balancer.BytesOf(move.Range);
                migrations[_balancer.CollectionOf(move.Range)]++;
                moved[_balancer.CollectionOf(move.Range)] += bytes;
                gives[move.From]++;
                gets[move.To]++;
                longest = Math.Max(longest, bytes);
            }

            seconds += longest / Megabyte / _scenario.MegabytesPerSecond;
        }

        var after = Held();
        var stuck = _ownerOfJumbo.Where(range => _balancer.IsMisplaced(range.Key))
            .Select(range => new StuckRange(
                Name(_balancer.CollectionOf(range.Key)), _sizes.Names[range.Value], Shard(_balancer.ShardOf(range.Key)),
                _balancer.BytesOf(range.Key) / Megabyte))
            .OrderByDescending(range => range.Megabytes)
            .ToList();
        var spreadsAfter = Spreads();
        var (ranges, jumbo) = Count();
        var shards = Enumerable.Range(0, _balancer.Shards).Select(shard => new SimulatedShard(
            Shard(shard),
            _regionOfShard[shard] == 0 ? null : _regions[_regionOfShard[shard] - 1],
            _scenario.Drain.Contains(shard + 1) ? "drained" : shard >= _scenario.Shards ? "added" : "",
            before[shard] / Megabyte,
            after[shard] / Megabyte,
            gets[shard],
            gives[shard])).ToList();
        var collections = Enumerable.Range(0, _balancer.Collections).Select(collection => new SimulatedCollection(
            Name(collection),
            Enumerable.Range(0, _balancer.Shards).Sum(shard => _balancer.Held(collection, shard)) / Megabyte,
            ranges[collection],
            jumbo[collection],
            migrations[collection],
            moved[collection] / Megabyte,
            spreads[collection] / Megabyte,
            spreadsAfter[collection] / Megabyte,
            Balancer.Threshold * _rangeBytes[collection] / Megabyte)).ToList();
        var largest = _scenario.GrowTenant > 1 && _sizes.Of(_tenant) * _scenario.GrowTenant > _sizes.Of(_sizes.Largest) ? _tenant : _sizes.Largest;
        var largestBytes = _sizes.Of(largest) * (largest == _tenant ? (double)_scenario.GrowTenant : 1);
        var report = new SimulationReport(
            _sizes.Names.Count, after.Sum() / Megabyte, _sizes.Names[largest], largestBytes / Megabyte, happened, shards, collections,
            migrations.Sum(), moved.Sum() / Megabyte, rounds, seconds / 3600, stuck, []);
        return report with { Findings = [.. SimulationFindings.Of(report)] };
    }

    // Each collection in the order of its key, in pieces of equal size, one to each shard.
    private void Place()
    {
        for (var collection = 0; collection < _balancer.Collections; collection++)
        {
            var bytes = _sizes.Bytes[collection];
            var totals = new long[_regions.Count + 1];
            for (var tenant = 0; tenant < bytes.Length; tenant++)
            {
                totals[ZoneOf(collection, tenant)] += bytes[tenant];
            }

            var pools = Enumerable.Range(0, _regions.Count + 1).Select(zone => _balancer.Pool(zone).ToArray()).ToArray();
            var placed = new long[_regions.Count + 1];
            var (together, togetherZone) = (0L, 0);
            for (var tenant = 0; tenant < bytes.Length; tenant++)
            {
                var zone = ZoneOf(collection, tenant);
                var limit = _rangeBytes[collection];
                var isAlone = tenant == _tenant || bytes[tenant] > limit;
                if (together > 0 && (isAlone || zone != togetherZone || together + bytes[tenant] > limit))
                {
                    Add(togetherZone, together);
                    together = 0;
                }

                if (!isAlone)
                {
                    (together, togetherZone) = (together + bytes[tenant], zone);
                    continue;
                }

                var count = TenantSizes.Collections[collection].ShardKey.PartsTenants ? (int)((bytes[tenant] + limit - 1) / limit) : 1;
                for (var piece = 0; piece < count; piece++)
                {
                    var size = (bytes[tenant] * (piece + 1) / count) - (bytes[tenant] * piece / count);
                    if (size > 0)
                    {
                        Note(Add(zone, size), tenant);
                    }
                }
            }

            if (together > 0)
            {
                Add(togetherZone, together);
            }

            int Add(int zone, long size)
            {
                var pool = pools[zone];
                var shard = pool[(int)Math.Min(pool.Length - 1, (double)placed[zone] / totals[zone] * pool.Length)];
                placed[zone] += size;
                return _balancer.Add(collection, shard, size, zone);
            }
        }
    }

    private List<string> Change()
    {
        var happened = new List<string>();
        for (var shard = _scenario.Shards; shard < _balancer.Shards; shard++)
        {
            _balancer.SetThere(shard, isThere: true);
        }

        if (_scenario.AddShards > 0)
        {
            happened.Add($"{Count(_scenario.AddShards, "shard")} {(_scenario.AddShards == 1 ? "was" : "were")} added to {Count(_scenario.Shards, "shard")}.");
        }

        foreach (var shard in _scenario.Drain.Distinct().Order())
        {
            _balancer.Drain(shard - 1);
            happened.Add($"{Shard(shard - 1)} was drained.");
        }

        var name = _sizes.Names[_tenant];
        if (_scenario.GrowTenant > 1)
        {
            Grow();
            happened.Add(string.Create(CultureInfo.InvariantCulture, $"The data of {name} became {_scenario.GrowTenant} times as much."));
        }

        if (_scenario.MoveTenantTo is { } region)
        {
            var zone = _regions.IndexOf(region) + 1;
            _balancer.SetZone(
                _rangesOfTenant.Index().Where(ranges => TenantSizes.Collections[ranges.Index].ShardKey.IsZoned).SelectMany(ranges => ranges.Item), zone);

            happened.Add($"{name} was moved to {region} ({string.Join(", ", _balancer.Pool(zone).Select(Shard))}).");
        }

        return happened;
    }

    // Documents come where the others of their range are; what grew too large is split there, where the key parts tenants.
    private void Grow()
    {
        foreach (var (collection, ranges) in _rangesOfTenant.Index())
        {
            foreach (var range in ranges.ToList())
            {
                var bytes = _balancer.BytesOf(range) * _scenario.GrowTenant;
                var limit = _rangeBytes[collection];
                if (!TenantSizes.Collections[collection].ShardKey.PartsTenants || bytes <= limit)
                {
                    _balancer.Grow(range, bytes);
                    Note(range, _tenant, isNew: false);
                    continue;
                }

                _balancer.Grow(range, limit);
                for (var left = bytes - limit; left > 0; left -= limit)
                {
                    Note(_balancer.Add(collection, _balancer.ShardOf(range), Math.Min(left, limit), _balancer.ZoneOf(range)), _tenant);
                }
            }
        }
    }

    private void Note(int range, int tenant, bool isNew = true)
    {
        if (tenant == _tenant && isNew)
        {
            _rangesOfTenant[_balancer.CollectionOf(range)].Add(range);
        }

        if (_balancer.IsJumbo(range))
        {
            _ownerOfJumbo[range] = tenant;
        }
    }

    private int ZoneOf(int collection, int tenant) =>
        _scenario.Regions.Count == 0 || !TenantSizes.Collections[collection].ShardKey.IsZoned ? 0 : (tenant % _scenario.Regions.Count) + 1;

    private int RegionOfShard(int shard)
    {
        if (_scenario.MoveTenantTo is { } region && !_scenario.Regions.Contains(region))
        {
            var isOfRegion = _scenario.AddShards > 0 ? shard >= _scenario.Shards : shard == _scenario.Shards - 1;
            if (isOfRegion)
            {
                return _regions.Count;
            }
        }

        return _scenario.Regions.Count == 0 ? 0 : (shard % _scenario.Regions.Count) + 1;
    }

    private long[] Held() =>
    [
        .. Enumerable.Range(0, _balancer.Shards)
            .Select(shard => Enumerable.Range(0, _balancer.Collections).Sum(collection => _balancer.Held(collection, shard))),
    ];

    private long[] Spreads()
    {
        var shards = _balancer.Pool(0).ToList();
        return
        [
            .. Enumerable.Range(0, _balancer.Collections).Select(collection =>
                shards.Max(shard => _balancer.Held(collection, shard)) - shards.Min(shard => _balancer.Held(collection, shard))),
        ];
    }

    private (int[] Ranges, int[] Jumbo) Count()
    {
        var (ranges, jumbo) = (new int[_balancer.Collections], new int[_balancer.Collections]);
        for (var range = 0; range < _balancer.Ranges; range++)
        {
            ranges[_balancer.CollectionOf(range)]++;
            jumbo[_balancer.CollectionOf(range)] += _balancer.IsJumbo(range) ? 1 : 0;
        }

        return (ranges, jumbo);
    }

    private static string Name(int collection) => TenantSizes.Collections[collection].Name;

    private static string Shard(int shard) => string.Create(CultureInfo.InvariantCulture, $"shard{shard + 1}");

    private static string Count(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");
}
