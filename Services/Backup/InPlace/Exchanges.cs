using MongoDB.Bson;

namespace Platform.Backup.InPlace;

/// <summary>
/// Documents that become again what they were, and whose unique values change with that. One that takes a value which another one still has comes after it;
/// those that take them from each other in a ring are written together.
/// </summary>
internal sealed class Exchanges
{
    private readonly List<Entry> _entries = [];

    /// <summary>How many there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Adds a document.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="live">The hash of what it is.</param>
    /// <param name="given">The unique values that it has and will not have.</param>
    /// <param name="taken">Those that it has not and will have.</param>
    public void Add(BsonValue key, byte[] live, IReadOnlyCollection<UInt128> given, IReadOnlyCollection<UInt128> taken) =>
        _entries.Add(new Entry(key, live, given, taken));

    /// <summary>The documents in an order in which each finds free what it takes: one by one, or as rings.</summary>
    public IEnumerable<ExchangeGroup> InOrder()
    {
        // Documents come first, then each value that one gives away: who takes it leads to it, and it to those who have it. So there is an edge for each
        // value of a document, however many share one.
        var (numbers, holders) = (new Dictionary<UInt128, int>(), new List<List<int>>());
        for (var entry = 0; entry < _entries.Count; entry++)
        {
            foreach (var value in _entries[entry].Given)
            {
                if (numbers.TryAdd(value, _entries.Count + holders.Count))
                {
                    holders.Add([]);
                }

                holders[numbers[value] - _entries.Count].Add(entry);
            }
        }

        List<IReadOnlyList<int>> edges =
        [
            .. _entries.Select(entry => (IReadOnlyList<int>)[.. entry.Taken.Where(numbers.ContainsKey).Select(value => numbers[value])]), .. holders,
        ];
        foreach (var ring in Rings(edges))
        {
            var members = ring.Where(node => node < _entries.Count).ToHashSet();
            if (members.Count > 0)
            {
                yield return new ExchangeGroup(
                    members.ToDictionary(member => _entries[member].Key, member => _entries[member].Live),
                    [
                        .. members.SelectMany(member => edges[member]).Distinct().SelectMany(value => edges[value]).Distinct()
                            .Where(holder => !members.Contains(holder)).Select(holder => _entries[holder].Key),
                    ]);
            }
        }
    }

    /// <summary>Tarjan's strongly connected components, without recursion: each comes after those that its edges lead to.</summary>
    private static IEnumerable<List<int>> Rings(List<IReadOnlyList<int>> edges)
    {
        var (number, low, isOpen) = (new int[edges.Count], new int[edges.Count], new bool[edges.Count]);
        var (open, path, next) = (new Stack<int>(), new Stack<(int Node, int Edge)>(), 1);
        for (var start = 0; start < edges.Count; start++)
        {
            if (number[start] == 0)
            {
                path.Push((start, 0));
            }

            while (path.TryPop(out var at))
            {
                var (node, edge) = at;
                if (edge == 0)
                {
                    number[node] = low[node] = next++;
                    open.Push(node);
                    isOpen[node] = true;
                }
                else
                {
                    low[node] = Math.Min(low[node], low[edges[node][edge - 1]]);
                }

                while (edge < edges[node].Count && number[edges[node][edge]] != 0)
                {
                    if (isOpen[edges[node][edge]])
                    {
                        low[node] = Math.Min(low[node], number[edges[node][edge]]);
                    }

                    edge++;
                }

                if (edge < edges[node].Count)
                {
                    path.Push((node, edge + 1));
                    path.Push((edges[node][edge], 0));
                }
                else if (low[node] == number[node])
                {
                    var ring = new List<int>();
                    do
                    {
                        ring.Add(open.Pop());
                        isOpen[ring[^1]] = false;
                    }
                    while (ring[^1] != node);
                    yield return ring;
                }
            }
        }
    }

    private sealed record Entry(BsonValue Key, byte[] Live, IReadOnlyCollection<UInt128> Given, IReadOnlyCollection<UInt128> Taken);
}

/// <summary>Documents of a collection that are written together, or not at all.</summary>
/// <param name="Documents">Their keys, and the hash of what each was when the plan was made.</param>
/// <param name="After">The keys of those from whom they take a unique value: when one of these is left alone, so are they.</param>
internal sealed record ExchangeGroup(IReadOnlyDictionary<BsonValue, byte[]> Documents, IReadOnlyList<BsonValue> After);
