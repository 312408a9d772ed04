using System.Diagnostics;
using Platform.Migrator.Sharding.Simulation;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Sharding;

/// <summary>The balancer's rules: hand-made cases, each for a sentence of MongoDB's manual, and what holds in thousands of generated ones.</summary>
public sealed class BalancerTests
{
    private const long Size = 128;

    [Theory]
    [InlineData(383, 0, 0)] // less than three times the size of a range apart
    [InlineData(384, 0, 1)]
    [InlineData(640, 256, 1)]
    [InlineData(639, 256, 0)]
    public void Shards_are_evened_out_when_they_differ_by_three_times_the_size_of_a_range(long left, long right, int moves)
    {
        var balancer = new Balancer([Size], shards: 2, zones: 0);
        Fill(balancer, 0, left);
        Fill(balancer, 1, right);
        Assert.Equal(moves, Run(balancer).Sum(round => round.Count));
    }

    [Fact]
    public void It_goes_by_the_size_of_the_data_and_not_by_the_number_of_ranges()
    {
        var balancer = new Balancer([Size], shards: 2, zones: 0);
        for (var i = 0; i < 100; i++)
        {
            balancer.Add(0, shard: 0, bytes: 1);
        }

        balancer.Add(0, shard: 1, bytes: Size);
        Assert.Empty(Run(balancer));
    }

    [Fact]
    public void Each_collection_is_evened_out_for_itself()
    {
        var balancer = new Balancer([Size, Size], shards: 2, zones: 0);
        for (var i = 0; i < 10; i++)
        {
            balancer.Add(0, shard: 0, Size);
            balancer.Add(1, shard: 1, Size);
        }

        Run(balancer);
        Assert.All(new[] { 0, 1 }, collection => Assert.InRange(Math.Abs(balancer.Held(collection, 0) - balancer.Held(collection, 1)), 0, (3 * Size) - 1));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(7, 3)]
    public void At_most_half_as_many_migrations_run_at_once_as_there_are_shards(int shards, int atOnce)
    {
        var balancer = new Balancer([Size], shards, zones: 0);
        for (var shard = 0; shard < shards / 2; shard++)
        {
            Fill(balancer, shard, 100 * Size);
        }

        var rounds = Run(balancer);
        Assert.Equal(atOnce, rounds.Max(round => round.Count));
        Assert.Equal(atOnce, rounds[0].Count);
    }

    [Fact]
    public void A_shard_that_is_drained_is_empty_in_the_end_and_gets_nothing()
    {
        var balancer = new Balancer([Size], shards: 3, zones: 0);
        Fill(balancer, 0, 10 * Size);
        balancer.Drain(0);
        var rounds = Run(balancer);
        Assert.Equal(0, balancer.Held(0, 0));
        Assert.All(rounds.SelectMany(round => round), move => Assert.NotEqual(0, move.To));
        Assert.Contains(rounds.SelectMany(round => round), move => move.Why == MigrationCause.Draining);
        Assert.InRange(Math.Abs(balancer.Held(0, 1) - balancer.Held(0, 2)), 0, 3 * Size);
    }

    [Fact]
    public void A_range_goes_to_a_shard_of_its_zone_and_stays_there()
    {
        var balancer = new Balancer([Size], shards: 4, zones: 1);
        balancer.SetMember(1, 3, isMember: true);
        var ranges = Enumerable.Range(0, 20).Select(_ => balancer.Add(0, shard: 0, Size, zone: 1)).ToList();
        Run(balancer);
        Assert.All(ranges, range => Assert.Equal(3, balancer.ShardOf(range)));
    }

    [Fact]
    public void A_jumbo_range_stays_where_it_is_also_when_its_shard_is_drained()
    {
        var balancer = new Balancer([Size], shards: 2, zones: 0);
        var jumbo = balancer.Add(0, shard: 0, 10 * Size);
        var other = balancer.Add(0, shard: 0, Size);
        balancer.Drain(0);
        Run(balancer);
        Assert.Equal(0, balancer.ShardOf(jumbo));
        Assert.True(balancer.IsMisplaced(jumbo));
        Assert.Equal(1, balancer.ShardOf(other));
    }

    [Fact]
    public void A_range_that_outgrows_its_size_is_jumbo_and_one_that_leaves_its_zone_moves()
    {
        var balancer = new Balancer([Size], shards: 2, zones: 1);
        balancer.SetMember(1, 1, isMember: true);
        var range = balancer.Add(0, shard: 0, 1);
        balancer.SetZone([range], 1);
        balancer.Grow(range, Size);
        Assert.Single(Run(balancer).SelectMany(round => round));
        Assert.Equal(1, balancer.ShardOf(range));
        balancer.Grow(range, Size + 1);
        balancer.SetZone([range], 0);
        Assert.True(balancer.IsJumbo(range));
        Assert.Equal(Size + 1, balancer.Held(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => balancer.Grow(range, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => balancer.Add(0, 0, 0));
    }

    /// <summary>4,000 clusters: nothing is lost, zones hold, it ends, at once means once, and no more moves than the difference asks for.</summary>
    [Fact]
    public void What_holds_of_every_cluster_holds_of_4000_generated_ones()
    {
        var (moved, drained, zoned, jumbos) = (0, 0, 0, 0);
        for (var seed = 0; seed < 4_000; seed++)
        {
            var random = new Random(seed);
            var (shards, zones, collections) = (random.Next(1, 9), random.Next(0, 4), random.Next(1, 4));
            var sizes = Enumerable.Range(0, collections).Select(_ => random.NextInt64(1, 500)).ToArray();
            var balancer = new Balancer(sizes, shards, zones);
            for (var zone = 1; zone <= zones; zone++)
            {
                for (var shard = 0; shard < shards; shard++)
                {
                    balancer.SetMember(zone, shard, random.Next(3) == 0);
                }
            }

            var shape = random.Next(3);
            var count = random.Next(0, 200);
            for (var i = 0; i < count; i++)
            {
                var collection = random.Next(collections);
                var bytes = shape == 0 ? sizes[collection] : random.NextInt64(1, sizes[collection] * (random.Next(20) == 0 ? 4 : 1) + 1);
                balancer.Add(collection, shape == 1 ? 0 : random.Next(shards), bytes, random.Next(zones + 1));
            }

            for (var shard = 0; shard < shards; shard++)
            {
                if (random.Next(8) == 0)
                {
                    balancer.Drain(shard);
                }
            }

            var before = Snapshot(balancer);
            var wanted = zones == 0 && balancer.Pool(0).Count() == shards ? Excess(balancer, collections, shards) : null;
            var rounds = Run(balancer);
            moved += rounds.Count;

            // Nothing is lost, and what a shard is said to hold is what its ranges add up to.
            var after = Snapshot(balancer);
            Assert.Equal(before.Select(range => range.Bytes), after.Select(range => range.Bytes));
            for (var collection = 0; collection < collections; collection++)
            {
                for (var shard = 0; shard < shards; shard++)
                {
                    var held = after.Where(range => range.Collection == collection && range.Shard == shard).Sum(range => range.Bytes);
                    Assert.Equal(held, balancer.Held(collection, shard));
                }
            }

            // At once means once: no shard and no range twice in a round, and each goes from where it was.
            var where = before.Select(range => range.Shard).ToArray();
            foreach (var round in rounds)
            {
                var busy = round.SelectMany(move => new[] { move.From, move.To }).ToList();
                Assert.Equal(busy.Count, busy.Distinct().Count());
                Assert.Equal(round.Count, round.Select(move => move.Range).Distinct().Count());
                foreach (var move in round)
                {
                    Assert.False(balancer.IsJumbo(move.Range));
                    Assert.Equal(where[move.Range], move.From);
                    Assert.Contains(move.To, balancer.Pool(before[move.Range].Zone));
                    where[move.Range] = move.To;
                }
            }

            // Zones hold and drained shards are empty, but for what is jumbo or has no shard to go to.
            for (var range = 0; range < balancer.Ranges; range++)
            {
                var pool = balancer.Pool(balancer.ZoneOf(range)).ToList();
                jumbos += balancer.IsJumbo(range) ? 1 : 0;
                if (balancer.IsMisplaced(range))
                {
                    Assert.True(balancer.IsJumbo(range) || pool.Count == 0, $"seed {seed}: range {range} did not leave shard {balancer.ShardOf(range)}");
                }

                zoned += balancer.ZoneOf(range) > 0 && pool.Contains(balancer.ShardOf(range)) ? 1 : 0;
            }

            drained += rounds.SelectMany(round => round).Count(move => move.Why == MigrationCause.Draining);

            // It ended because nothing was left to do: looked at anew, in the plainest way.
            AssertEven(balancer, sizes, seed);

            if (wanted is not null)
            {
                for (var collection = 0; collection < collections; collection++)
                {
                    var sent = rounds.SelectMany(round => round)
                        .Where(move => balancer.CollectionOf(move.Range) == collection)
                        .Sum(move => balancer.BytesOf(move.Range));
                    Assert.True(
                        sent <= wanted[collection] + (2 * sizes[collection]),
                        $"seed {seed}: {sent} bytes of collection {collection} moved, where {wanted[collection]} were too many somewhere");
                }
            }
        }

        Assert.True(moved > 10_000 && drained > 1_000 && zoned > 1_000 && jumbos > 1_000, $"{moved} {drained} {zoned} {jumbos}");
    }

    [Fact]
    public void A_million_ranges_are_evened_out_in_seconds()
    {
        var balancer = new Balancer([Size, Size, Size], shards: 16, zones: 2);
        balancer.SetMember(1, 3, isMember: true);
        balancer.SetMember(2, 5, isMember: true);
        var random = new Random(7);
        for (var i = 0; i < 1_000_000; i++)
        {
            balancer.Add(i % 3, random.Next(4), random.NextInt64(1, Size + 1), random.Next(20) switch { 0 => 1, 1 => 2, _ => 0 });
        }

        var started = Stopwatch.GetTimestamp();
        var rounds = Run(balancer);
        var took = Stopwatch.GetElapsedTime(started);
        Assert.True(rounds.Sum(round => round.Count) > 300_000);
        AssertEven(balancer, [Size, Size, Size], 7);
        // Some seconds in Debug on a busy machine; hours if a round looked at every range.
        Assert.True(took < TimeSpan.FromSeconds(60), $"{took}");
    }

    private static List<(int Collection, int Shard, int Zone, long Bytes)> Snapshot(Balancer balancer) =>
        [.. Enumerable.Range(0, balancer.Ranges).Select(range =>
            (balancer.CollectionOf(range), balancer.ShardOf(range), balancer.ZoneOf(range), balancer.BytesOf(range)))];

    // What is above the mean, by collection: that much has to leave somewhere.
    private static long[] Excess(Balancer balancer, int collections, int shards) =>
        [.. Enumerable.Range(0, collections).Select(collection =>
        {
            var held = Enumerable.Range(0, shards).Select(shard => balancer.Held(collection, shard)).ToList();
            var mean = held.Sum() / shards;
            return held.Sum(bytes => Math.Max(0, bytes - mean));
        })];

    private static void AssertEven(Balancer balancer, long[] sizes, int seed)
    {
        var zones = Enumerable.Range(0, balancer.Ranges).Select(balancer.ZoneOf).Distinct().ToList();
        foreach (var zone in zones)
        {
            var pool = balancer.Pool(zone).ToList();
            for (var collection = 0; collection < sizes.Length && pool.Count > 1; collection++)
            {
                var sum = pool.Sum(shard => balancer.Held(collection, shard));
                var movable = Enumerable.Range(0, balancer.Ranges)
                    .Where(range => balancer.CollectionOf(range) == collection && balancer.ZoneOf(range) == zone && !balancer.IsJumbo(range))
                    .Select(balancer.ShardOf)
                    .ToHashSet();
                var least = pool.Min(shard => balancer.Held(collection, shard));
                Assert.All(pool.Where(shard => movable.Contains(shard) && balancer.Held(collection, shard) * pool.Count > sum), shard => Assert.True(
                    balancer.Held(collection, shard) - least < Balancer.Threshold * sizes[collection],
                    $"seed {seed}: shard {shard} still has too much of collection {collection}"));
            }
        }
    }

    private static void Fill(Balancer balancer, int shard, long bytes)
    {
        for (; bytes > 0; bytes -= Size)
        {
            balancer.Add(0, shard, Math.Min(bytes, Size));
        }
    }

    // A bound that no cluster of these tests comes near says that it does not end.
    private static List<List<Migration>> Run(Balancer balancer)
    {
        var rounds = new List<List<Migration>>();
        var moves = new List<Migration>();
        while (balancer.Round(moves))
        {
            rounds.Add(moves);
            moves = [];
            Assert.True(rounds.Count < 1_000_000, "it does not end");
        }

        return rounds;
    }
}
