using System.IO.Pipelines;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Platform.Gateway.Access;
using Platform.Gateway.Clients;
using Platform.Gateway.Connections;
using Platform.Gateway.Sessions;
using Platform.Gateway.Settings;
using Platform.Gateway.Sockets;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>Who keeps a place when there are too many connections or sessions.</summary>
public sealed class ClientQuotaTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<ClientConnection> _all = [];
    private readonly List<long> _aborted = [];

    private static User UserWith(string name, string role, long number = 1) =>
        new(name, "admin", [new RoleName(role, "admin")], RoleGraph.BuiltIn.RightsOf([new RoleName(role, "admin")]), number);

    public void Dispose() => _all.ForEach(c => c.Dispose());

    [Fact]
    public void Beyond_the_limit_the_connection_that_is_silent_for_longest_goes_and_not_the_new_one()
    {
        var clients = Registry(new() { MaxConnections = 40, MaxUnauthenticatedConnections = 10 });
        for (var i = 1; i <= 10; i++)
        {
            Assert.True(clients.TryAdd(Client(i)));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Empty(_aborted);
        Assert.True(clients.TryAdd(Client(11)));
        Assert.True(clients.TryAdd(Client(12)));
        Assert.Equal([1, 2], _aborted);
        Assert.Contains("has not logged in", _all[0].CloseReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Connections_that_are_logged_in_are_not_counted_and_stay()
    {
        var clients = Registry(new() { MaxConnections = 12, MaxUnauthenticatedConnections = 4, MaxConnectionsPerUser = 8 });
        for (var i = 1; i <= 8; i++)
        {
            var client = Client(i);
            Assert.True(clients.TryAdd(client));
            Assert.True(clients.TryLogIn(client, UserWith("root", "root")));
        }

        for (var i = 9; i <= 30; i++)
        {
            Assert.True(clients.TryAdd(Client(i)));
        }

        Assert.DoesNotContain(_aborted, id => id <= 8);
        Assert.Equal(18, _aborted.Count);
    }

    [Fact]
    public void An_address_has_a_share_of_its_own_and_this_machine_is_no_such_address()
    {
        var options = new GatewayOptions { MaxConnections = 40, MaxUnauthenticatedConnections = 10 };
        var clients = Registry(options);
        for (var i = 1; i <= 6; i++)
        {
            Assert.True(clients.TryAdd(Client(i, "192.0.2.1:1000")));
        }

        Assert.Equal([1], _aborted);
        for (var i = 7; i <= 11; i++)
        {
            Assert.True(clients.TryAdd(Client(i, "192.0.2.2:1000")));
        }

        Assert.Equal([1], _aborted);
        Assert.Equal(10, options.UnauthenticatedConnectionsOf(System.Net.IPAddress.Loopback));
    }

    [Fact]
    public void A_user_has_a_limit_and_the_others_leave_places_to_administrators()
    {
        var clients = Registry(new() { MaxConnections = 40, MaxConnectionsPerUser = 20 });
        var logged = 0;
        for (var i = 1; i <= 40; i++)
        {
            var client = Client(i);
            clients.TryAdd(client);
            logged += clients.TryLogIn(client, UserWith(i % 2 == 0 ? "a" : "b", "readAnyDatabase")) ? 1 : 0;
        }

        // 40 less a quarter that has not logged in, less a tenth.
        Assert.Equal(26, logged);
        var admin = Client(41);
        Assert.True(clients.TryAdd(admin));
        Assert.True(clients.TryLogIn(admin, UserWith("root", "root")));
    }

    [Fact]
    public void A_connection_that_neither_logs_in_nor_speaks_is_ended_and_others_are_not()
    {
        var clients = Registry(new() { MessageTimeout = TimeSpan.FromDays(1) });
        var (silent, logged) = (Client(1), Client(2));
        clients.TryAdd(silent);
        clients.TryAdd(logged);
        clients.TryLogIn(logged, UserWith("a", "readAnyDatabase"));
        _time.Advance(TimeSpan.FromMinutes(2) - TimeSpan.FromSeconds(1));
        clients.EndStalled();
        Assert.Empty(_aborted);
        _time.Advance(TimeSpan.FromSeconds(2));
        clients.EndStalled();
        clients.EndStalled();
        Assert.Equal([1], _aborted);
        // Who logs out begins anew.
        clients.Refresh(_ => null);
        clients.EndStalled();
        Assert.Equal([1], _aborted);
    }

    [Fact]
    public void Who_is_logged_in_goes_on_as_the_same_user_and_never_as_a_new_one_of_the_name()
    {
        var clients = Registry(new());
        var client = Client(1);
        Assert.True(clients.TryAdd(client) && clients.TryLogIn(client, UserWith("u", "read", number: 7)));

        var changed = UserWith("u", "readWrite", number: 7);
        clients.Refresh(new Dictionary<long, User> { [7] = changed }.GetValueOrDefault);
        Assert.Same(changed, client.User);

        // It was dropped and made again before anybody looked.
        clients.Refresh(new Dictionary<long, User> { [8] = UserWith("u", "readWrite", number: 8) }.GetValueOrDefault);
        Assert.Null(client.User);
    }

    [Fact]
    public void The_sessions_used_least_recently_are_forgotten_and_those_in_use_are_not()
    {
        var sessions = new UserSessions();
        var all = Enumerable.Range(0, 100).Select(i => new Session(Guid.NewGuid(), "a") { LastUsed = _time.GetUtcNow() + TimeSpan.FromSeconds(i) }).ToList();
        all.ForEach(s => sessions.Add(s, out _));
        all[3].Gate.Wait(TestContext.Current.CancellationToken);
        Assert.Equal(0, sessions.Evict(101));
        Assert.Equal(9, sessions.Evict(100));
        Assert.Equal(91, sessions.Count);
        Assert.Equal(all.Take(10).Where((_, i) => i != 3).Select(s => s.Id).Order(), all.Where(s => !sessions.TryGet(s.Id, out _)).Select(s => s.Id).Order());
    }

    private static ClientRegistry Registry(GatewayOptions options) => new(Options.Create(options));

    private ClientConnection Client(long id, string remote = "127.0.0.1:1000")
    {
        var pipe = new Pipe();
        var client = new ClientConnection(id, remote, new Duplex(pipe.Reader, pipe.Writer), null!, new(_time), null!, BusyWait.None, socket: null, _time)
        {
            Abort = () => _aborted.Add(id),
        };
        _all.Add(client);
        return client;
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
