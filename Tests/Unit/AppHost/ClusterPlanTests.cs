using System.Globalization;
using Platform.AppHost.Redis;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>
/// The plan against a model of six nodes: what each knows, which slots it has and whom it follows, changed by the plan's commands as Redis changes it. From any
/// state that an interrupted formation, other ports, lost data and failovers leave behind, it comes to one cluster.
/// </summary>
public sealed class ClusterPlanTests
{
    private const int Size = 6;

    private static readonly ClusterAddress[] s_addresses = [.. Enumerable.Range(0, Size).Select(node => new ClusterAddress(7000 + node, 17000 + node))];

    [Fact]
    public void New_nodes_become_masters_with_a_third_of_the_slots_and_a_replica_each()
    {
        var model = new Model(seed: 1);

        model.Form();

        Assert.Equal([(0, 5460)], model.Views[0].Self.Slots);
        Assert.Equal([(5461, 10921)], model.Views[1].Self.Slots);
        Assert.Equal([(10922, 16383)], model.Views[2].Self.Slots);
        Assert.Equal([0, 1, 2], model.Masters().Order());
        Assert.DoesNotContain(model.Commands, command => command.Contains("FORGET", StringComparison.Ordinal));
    }

    [Fact]
    public void Whatever_they_are_the_nodes_become_one_cluster_and_then_stay_it()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var model = new Model(seed);
            // Interrupted anywhere, by any of what befalls a cluster.
            for (var times = model.Random.Next(4); times > 0; times--)
            {
                model.Run(model.Random.Next(1, 30));
                model.Befall();
            }

            model.Form();

            Assert.True(model.IsOneCluster(), $"seed {seed}: {model}");
            Assert.True(ClusterPlan.Next(model.Views, s_addresses).Count == 0, $"seed {seed}: {string.Join("; ", ClusterPlan.Next(model.Views, s_addresses))}");
        }
    }

    [Fact]
    public void Slots_of_a_node_that_is_gone_go_to_its_replica_and_to_nobody_else()
    {
        var model = new Model(seed: 3);
        model.Form();
        model.Commands.Clear();
        var lost = model.Views[0].Id;
        model.LoseData(0);

        var heir = Array.FindIndex([.. model.Views], view => view.Self.Master == lost);
        model.Form();

        Assert.Contains(0, model.Views[heir].Self.Slots.Select(range => range.First));
        Assert.DoesNotContain(model.Commands, command => command.Contains("ADDSLOTSRANGE", StringComparison.Ordinal));
    }

    [Fact]
    public void The_answer_of_a_node_is_read()
    {
        const string Nodes =
            """
            07c37dfeb235213a872192d90877d0cd55635b91 127.0.0.1:30004@31004,hostname4 slave,fail? e7d1eecce10fd6 0 1426238317239 4 connected
            67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1 127.0.0.1:30002@31002 master - 0 1426238316232 2 disconnected 5461-10922 [93-<-292f8b365bb7ed]
            e7d1eecce10fd6 :30001@31001 myself,master - 0 0 1 connected 0-5460 16383
            """;

        var view = ClusterView.Read("e7d1eecce10fd6", Nodes, "cluster_state:ok\r\n", "role:master\r\n");

        Assert.True(view.IsWell);
        Assert.Equal([30004, 30002, 30001], view.Nodes.Select(node => node.Port));
        Assert.Equal([(0, 5460), (16383, 16383)], view.Self.Slots);
        Assert.Equal([(5461, 10922)], view.Nodes[1].Slots);
        Assert.Equal(["slave", "fail?"], view.Nodes[0].Flags);
        Assert.Equal((view.Id, null, false), (view.Nodes[0].Master, view.Nodes[1].Master, view.Nodes[1].IsLinked));
        Assert.False(ClusterView.Read(view.Id, Nodes, "cluster_state:fail\r\n", "").IsWell);
        Assert.False(ClusterView.Read(view.Id, Nodes, "cluster_state:ok\r\n", "role:slave\r\nmaster_link_status:down\r\n").IsWell);
    }

    private sealed class Model
    {
        private readonly Dictionary<string, (int Port, SortedSet<int> Thirds, string? Master, bool IsGone)> _truth = new(StringComparer.Ordinal);
        private readonly string[] _ids = new string[Size];

        // Of each node, whom it knows at which port.
        private readonly Dictionary<string, int>[] _known = new Dictionary<string, int>[Size];
        private int _made;

        public Model(int seed)
        {
            Random = new Random(seed);
            for (var node = 0; node < Size; node++)
            {
                Renew(node);
            }
        }

        public Random Random { get; }

        public List<string> Commands { get; } = [];

        // Slots by thirds: the plan asks for no other shares.
        public IReadOnlyList<ClusterView> Views =>
        [
            .. Enumerable.Range(0, Size).Select(node => new ClusterView(_ids[node], IsWell: true,
            [
                .. _known[node].Select(known => new ClusterView.Node(
                    known.Key,
                    known.Value,
                    _truth[known.Key].IsGone ? new HashSet<string> { "master", "fail" } : new HashSet<string> { "master" },
                    _truth[known.Key].Master,
                    IsLinked: !_truth[known.Key].IsGone,
                    Ranges(_truth[known.Key].Thirds))),
            ])),
        ];

        public IEnumerable<int> Masters() => Enumerable.Range(0, Size).Where(node => _truth[_ids[node]].Thirds.Count > 0);

        public void Run(int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                Step();
            }
        }

        public void Form()
        {
            for (var step = 0; step < 500 && !ClusterPlan.IsWhole(Views, s_addresses); step++)
            {
                Step();
                if (Random.Next(4) == 0)
                {
                    Elect();
                }
            }
        }

        // One of the commands of the plan, at times none: it is interrupted after any.
        public void Step()
        {
            if (ClusterPlan.Next(Views, s_addresses) is { Count: > 0 } commands)
            {
                var command = commands[Random.Next(commands.Count)];
                Commands.Add(command.ToString());
                Do(command);
            }

            // Who knows each other tells whom else he knows.
            var (one, other) = (Random.Next(Size), Random.Next(Size));
            if (_known[one].ContainsKey(_ids[other]))
            {
                foreach (var (id, port) in _known[other])
                {
                    _known[one].TryAdd(id, port);
                }
            }
        }

        public void Befall()
        {
            switch (Random.Next(4))
            {
                case 0:
                    // Other ports: each knows its own.
                    for (var node = 0; node < Size; node++)
                    {
                        foreach (var id in _known[node].Keys.Where(id => id != _ids[node]).ToList())
                        {
                            _known[node][id] = 9000 + Random.Next(100);
                        }
                    }

                    break;
                case 1:
                    LoseData(Random.Next(Size));
                    break;
                case 2:
                    // A replica took over.
                    if (_ids.FirstOrDefault(id => _truth[id].Master is not null) is { } replica && _truth[replica].Master is { } master)
                    {
                        (_truth[replica], _truth[master]) = (
                            _truth[replica] with { Thirds = _truth[master].Thirds, Master = null },
                            _truth[master] with { Thirds = [], Master = _truth[master].IsGone ? null : replica });
                    }

                    break;
                default:
                    break;
            }
        }

        public void LoseData(int node)
        {
            // Else they would be nobody's for ever, which the formation ends by emptying all.
            var id = _ids[node];
            if ((_truth[id].Thirds.Count > 0 && !_ids.Any(other => _truth[other].Master == id))
                || (_truth[id].Master is { } master && _truth[master].IsGone))
            {
                return;
            }

            _truth[id] = _truth[id] with { IsGone = true };
            Renew(node);
        }

        public bool IsOneCluster() =>
            Masters().Count() == Size / 2
            && Masters().SelectMany(node => _truth[_ids[node]].Thirds).Order().SequenceEqual([0, 1, 2])
            && Masters().All(master => _ids.Count(id => _truth[id].Master == _ids[master]) == 1)
            && _known.All(known => known.Count == Size);

        public override string ToString() => string.Join("; ", Enumerable.Range(0, Size).Select(node => string.Create(
            CultureInfo.InvariantCulture,
            $"{_ids[node]} slots {string.Join('+', _truth[_ids[node]].Thirds)} of {_truth[_ids[node]].Master} knows {string.Join(',', _known[node].Keys)}")));

        private void Renew(int node)
        {
            _ids[node] = string.Create(CultureInfo.InvariantCulture, $"id{++_made}");
            _truth[_ids[node]] = (s_addresses[node].Port, [], null, false);
            _known[node] = new(StringComparer.Ordinal) { [_ids[node]] = s_addresses[node].Port };
        }

        // The replica of a master that is gone takes its place.
        private void Elect()
        {
            foreach (var id in _ids.Where(id => _truth[id].Master is { } master && _truth[master].IsGone))
            {
                var master = _truth[id].Master!;
                (_truth[id], _truth[master]) = (_truth[id] with { Thirds = _truth[master].Thirds, Master = null }, _truth[master] with { Thirds = [] });
            }
        }

        private void Do(ClusterPlan.Command command)
        {
            var own = _ids[command.Node];
            switch ((string)command.Arguments[0])
            {
                case "MEET":
                    var other = Array.FindIndex(s_addresses, address => address.Port == (int)command.Arguments[2]);
                    _known[command.Node][_ids[other]] = s_addresses[other].Port;
                    _known[other][own] = s_addresses[command.Node].Port;
                    break;
                case "FORGET":
                    // Redis refuses to forget a node's master, and its own self.
                    Assert.NotEqual(_truth[own].Master, command.Arguments[1]);
                    foreach (var known in _known.Where((_, node) => _ids[node] != (string)command.Arguments[1]))
                    {
                        known.Remove((string)command.Arguments[1]);
                    }

                    break;
                case "ADDSLOTSRANGE":
                    Assert.Null(_truth[own].Master);
                    var (first, last) = ((int)command.Arguments[1], (int)command.Arguments[2]);
                    foreach (var third in Enumerable.Range(0, 3).Where(third => Start(third) >= first && Start(third) < last))
                    {
                        Assert.DoesNotContain(_ids, id => _truth[id].Thirds.Contains(third));
                        _truth[own].Thirds.Add(third);
                    }

                    break;
                case "FAILOVER":
                    // Of one that is still there nobody may take the place.
                    var gone = _truth[own].Master!;
                    Assert.True(_truth[gone].IsGone);
                    (_truth[own], _truth[gone]) = (_truth[own] with { Thirds = _truth[gone].Thirds, Master = null }, _truth[gone] with { Thirds = [] });
                    break;
                case "REPLICATE":
                    // Redis refuses a node that has slots, and a master that it does not know, or that is none.
                    Assert.Empty(_truth[own].Thirds);
                    Assert.Contains((string)command.Arguments[1], _known[command.Node]);
                    Assert.Null(_truth[(string)command.Arguments[1]].Master);
                    _truth[own] = _truth[own] with { Master = (string)command.Arguments[1] };
                    break;
                default:
                    Assert.Fail(command.ToString());
                    break;
            }
        }

        private static int Start(int third) => ClusterPlan.Slots * third / 3;

        private static List<(int, int)> Ranges(SortedSet<int> thirds) => [.. thirds.Select(third => (Start(third), Start(third + 1) - 1))];
    }
}
