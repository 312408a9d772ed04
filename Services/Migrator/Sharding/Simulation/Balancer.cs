using System.Runtime.InteropServices;

namespace Platform.Migrator.Sharding.Simulation;

/// <summary>
/// MongoDB's balancer, as its manual describes it, on ranges that are numbers here: it works in rounds, in each of which a shard takes part in one
/// migration at most. First it empties shards that are being drained, then it brings ranges into their zones, and then it evens out the data of each
/// collection: from the shard with most to the one with least, as long as these differ by three times the size of a range. A range that is larger
/// than a range may be, and cannot be split, is jumbo and stays where it is.
/// </summary>
/// <remarks>
/// <see href="https://www.mongodb.com/docs/manual/core/sharding-balancer-administration/"/>. What the manual leaves open is kept simple: a shard gives
/// only when it has more of the collection than the mean of the shards in question, and takes only when it has less. A range is never empty.
/// </remarks>
internal sealed class Balancer
{
    /// <summary>By how many sizes of a range shards have to differ.</summary>
    public const int Threshold = 3;

    private const int None = -1;

    private readonly long[] _rangeBytes;
    private readonly int _shards;
    private readonly int _zones;

    // Of each range.
    private readonly List<long> _bytes = [];
    private readonly List<short> _shard = [];
    private readonly List<byte> _collection = [];
    private readonly List<byte> _zone = [];
    private readonly List<int> _next = [];

    // The first range that can be moved of a collection, on a shard, in a zone; the others follow by _next.
    private readonly int[] _first;
    private readonly long[] _held;
    private readonly bool[] _isMember;
    private readonly bool[] _isThere;
    private readonly bool[] _isDraining;
    private readonly bool[] _isBusy;
    private int _turn;

    /// <summary>A cluster without data. All shards are in it; zone 0 is that of ranges which may be anywhere.</summary>
    /// <param name="rangeBytes">The size of ranges of each collection, in bytes.</param>
    /// <param name="shards">How many shards there are.</param>
    /// <param name="zones">How many zones there are beside that one; no shard belongs to them yet.</param>
    public Balancer(IReadOnlyList<long> rangeBytes, int shards, int zones)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rangeBytes.Count, byte.MaxValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shards, short.MaxValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(zones, byte.MaxValue - 1);
        _rangeBytes = [.. rangeBytes];
        (_shards, _zones) = (shards, zones + 1);
        _first = new int[rangeBytes.Count * _shards * _zones];
        Array.Fill(_first, None);
        _held = new long[rangeBytes.Count * _shards];
        _isMember = new bool[_zones * _shards];
        Array.Fill(_isMember, true, 0, _shards);
        _isThere = new bool[_shards];
        Array.Fill(_isThere, true);
        _isDraining = new bool[_shards];
        _isBusy = new bool[_shards];
    }

    /// <summary>How many ranges there are.</summary>
    public int Ranges => _bytes.Count;

    /// <summary>How many shards there are, those that are not there yet included.</summary>
    public int Shards => _shards;

    /// <summary>How many collections there are.</summary>
    public int Collections => _rangeBytes.Length;

    /// <summary>Adds a range.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="shard">The shard that has it.</param>
    /// <param name="bytes">What it takes; more than 0.</param>
    /// <param name="zone">Its zone.</param>
    /// <returns>Its number.</returns>
    public int Add(int collection, int shard, long bytes, int zone = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        _bytes.Add(bytes);
        _shard.Add((short)shard);
        _collection.Add((byte)collection);
        _zone.Add((byte)zone);
        _next.Add(None);
        var range = _bytes.Count - 1;
        _held[(collection * _shards) + shard] += bytes;
        if (!IsJumbo(range))
        {
            Link(range);
        }

        return range;
    }

    /// <summary>Says whether a shard belongs to a zone.</summary>
    public void SetMember(int zone, int shard, bool isMember) => _isMember[(zone * _shards) + shard] = isMember;

    /// <summary>Says whether a shard is in the cluster. One that is not has no data.</summary>
    public void SetThere(int shard, bool isThere) => _isThere[shard] = isThere;

    /// <summary>Has all that can be moved taken from a shard, which gets nothing any more.</summary>
    public void Drain(int shard) => _isDraining[shard] = true;

    /// <summary>Puts ranges into another zone.</summary>
    public void SetZone(IEnumerable<int> ranges, int zone)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        foreach (var range in ranges)
        {
            _zone[range] = (byte)zone;
        }

        // Anew, since there may be many: each would have to be looked for.
        Array.Fill(_first, None);
        for (var range = 0; range < Ranges; range++)
        {
            if (!IsJumbo(range))
            {
                Link(range);
            }
        }
    }

    /// <summary>Makes a range larger, as the documents of one value of the key do that cannot be split.</summary>
    public void Grow(int range, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, _bytes[range]);
        var wasJumbo = IsJumbo(range);
        _held[(_collection[range] * _shards) + _shard[range]] += bytes - _bytes[range];
        _bytes[range] = bytes;
        if (!wasJumbo && IsJumbo(range))
        {
            Unlink(range);
        }
    }

    /// <summary>What a range takes, in bytes.</summary>
    public long BytesOf(int range) => _bytes[range];

    /// <summary>The shard that has a range.</summary>
    public int ShardOf(int range) => _shard[range];

    /// <summary>The zone of a range.</summary>
    public int ZoneOf(int range) => _zone[range];

    /// <summary>The collection of a range.</summary>
    public int CollectionOf(int range) => _collection[range];

    /// <summary>Whether a range is larger than one may be.</summary>
    public bool IsJumbo(int range) => _bytes[range] > _rangeBytes[_collection[range]];

    /// <summary>Whether a range is where it may not stay: on a shard that is being drained, or outside of its zone.</summary>
    public bool IsMisplaced(int range) => _isDraining[_shard[range]] || !IsMember(_zone[range], _shard[range]);

    /// <summary>What a shard has of a collection, in bytes.</summary>
    public long Held(int collection, int shard) => _held[(collection * _shards) + shard];

    /// <summary>The shards among which a collection's ranges of a zone are evened out.</summary>
    public IEnumerable<int> Pool(int zone) => Enumerable.Range(0, _shards).Where(shard => IsInPool(zone, shard));

    /// <summary>Works one round.</summary>
    /// <param name="moves">Gets the migrations.</param>
    /// <returns>Whether there were any.</returns>
    public bool Round(List<Migration> moves)
    {
        var before = moves.Count;
        Array.Clear(_isBusy);
        for (var shard = 0; shard < _shards; shard++)
        {
            if (_isDraining[shard] && !_isBusy[shard])
            {
                Evict(shard, MigrationCause.Draining, moves);
            }
        }

        for (var shard = 0; shard < _shards && _zones > 1; shard++)
        {
            if (!_isDraining[shard] && !_isBusy[shard])
            {
                Evict(shard, MigrationCause.Zone, moves);
            }
        }

        // Another collection begins each time, so that none waits for ever.
        for (var i = 0; i < Collections; i++)
        {
            for (var zone = 0; zone < _zones; zone++)
            {
                Even((_turn + i) % Collections, zone, moves);
            }
        }

        _turn = (_turn + 1) % Math.Max(1, Collections);
        return moves.Count > before;
    }

    private bool IsMember(int zone, int shard) => _isMember[(zone * _shards) + shard];

    private bool IsInPool(int zone, int shard) => _isThere[shard] && !_isDraining[shard] && IsMember(zone, shard);

    // One range of the shard that has to leave it.
    private void Evict(int shard, MigrationCause why, List<Migration> moves)
    {
        for (var i = 0; i < Collections; i++)
        {
            var collection = (_turn + i) % Collections;
            for (var zone = 0; zone < _zones; zone++)
            {
                if ((why == MigrationCause.Draining || !IsMember(zone, shard)) && First(collection, shard, zone) is not None and var range)
                {
                    var to = None;
                    for (var other = 0; other < _shards; other++)
                    {
                        if (other != shard && !_isBusy[other] && IsInPool(zone, other) && (to == None || Held(collection, other) < Held(collection, to)))
                        {
                            to = other;
                        }
                    }

                    if (to != None)
                    {
                        Move(range, to, why, moves);
                        return;
                    }
                }
            }
        }
    }

    private void Even(int collection, int zone, List<Migration> moves)
    {
        var (sum, count) = (0L, 0);
        for (var shard = 0; shard < _shards; shard++)
        {
            if (IsInPool(zone, shard))
            {
                sum += Held(collection, shard);
                count++;
            }
        }

        if (count < 2)
        {
            return;
        }

        while (true)
        {
            var (from, to) = (None, None);
            for (var shard = 0; shard < _shards; shard++)
            {
                if (_isBusy[shard] || !IsInPool(zone, shard))
                {
                    continue;
                }

                // Against the mean, without dividing.
                var held = Held(collection, shard);
                if (held * count > sum && First(collection, shard, zone) != None && (from == None || held > Held(collection, from)))
                {
                    from = shard;
                }
                else if (held * count < sum && (to == None || held < Held(collection, to)))
                {
                    to = shard;
                }
            }

            if (from == None || to == None || Held(collection, from) - Held(collection, to) < Threshold * _rangeBytes[collection])
            {
                return;
            }

            Move(First(collection, from, zone), to, MigrationCause.Balance, moves);
        }
    }

    private void Move(int range, int to, MigrationCause why, List<Migration> moves)
    {
        int from = _shard[range];
        Unlink(range);
        _held[(_collection[range] * _shards) + from] -= _bytes[range];
        _held[(_collection[range] * _shards) + to] += _bytes[range];
        _shard[range] = (short)to;
        Link(range);
        _isBusy[from] = _isBusy[to] = true;
        moves.Add(new Migration(range, from, to, why));
    }

    private ref int First(int collection, int shard, int zone) => ref _first[(((collection * _shards) + shard) * _zones) + zone];

    private ref int FirstOf(int range) => ref First(_collection[range], _shard[range], _zone[range]);

    private void Link(int range)
    {
        ref var first = ref FirstOf(range);
        _next[range] = first;
        first = range;
    }

    private void Unlink(int range)
    {
        ref var place = ref FirstOf(range);
        var next = CollectionsMarshal.AsSpan(_next);
        while (place != range)
        {
            place = ref next[place];
        }

        place = next[range];
        next[range] = None;
    }
}
