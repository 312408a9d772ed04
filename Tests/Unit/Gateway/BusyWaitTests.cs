using System.Net;
using System.Net.Sockets;
using Platform.Gateway.Sockets;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>When a thread looks for bytes instead of sleeping, and when it stops to.</summary>
public sealed class BusyWaitTests : IDisposable
{
    private static readonly TimeSpan s_longerThanAnyTest = TimeSpan.FromMinutes(1);

    private readonly Socket _reading;
    private readonly Socket _writing = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public BusyWaitTests()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listener.Listen();
        _writing.Connect(listener.LocalEndPoint!);
        _reading = listener.Accept();
    }

    public void Dispose()
    {
        _reading.Dispose();
        _writing.Dispose();
    }

    [Fact]
    public async Task The_bytes_of_a_client_that_is_alone_are_seen_as_they_come()
    {
        var wait = AloneWith(1, s_longerThanAnyTest);
        var waiting = Task.Run(() => Wait(wait));
        Assert.False(waiting.IsCompleted);

        await _writing.SendAsync(new byte[1]);

        Assert.True(await waiting.WaitAsync(s_longerThanAnyTest / 4, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_second_client_ends_the_wait()
    {
        var wait = AloneWith(1, s_longerThanAnyTest);
        var waiting = Task.Run(() => Wait(wait));
        Assert.False(waiting.IsCompleted);

        wait.Came(2);

        Assert.False(await waiting.WaitAsync(s_longerThanAnyTest / 4, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void It_ends_at_its_limit() => Assert.False(Wait(AloneWith(1, TimeSpan.FromMicroseconds(100))));

    [Fact]
    public void Clients_in_turn_are_not_waited_for()
    {
        var wait = new BusyWait(s_longerThanAnyTest);
        for (var i = 0; i < 2 * BusyWait.Alone; i++)
        {
            wait.Came(i % 2);
            Assert.False(Wait(wait));
        }
    }

    [Fact]
    public void Without_a_limit_there_is_no_wait()
    {
        _writing.Send(new byte[1]);

        Assert.False(Wait(AloneWith(1, TimeSpan.Zero)));
    }

    [Fact]
    public void A_closed_socket_has_no_bytes()
    {
        var wait = AloneWith(1, s_longerThanAnyTest);
        _reading.Dispose();

        Assert.False(Wait(wait));
    }

    [Fact]
    public void A_connection_that_ended_can_be_read()
    {
        _writing.Dispose();

        Assert.True(Wait(AloneWith(1, s_longerThanAnyTest)));
    }

    [Fact]
    public void Where_waiting_does_not_pay_it_gets_rare_and_comes_back_when_it_does()
    {
        var patience = default(BusyWait.Patience);
        var leftOut = new List<int>();
        for (var failure = 0; failure < 10; failure++)
        {
            leftOut.Add(LeftOut(ref patience));
            patience.Failed();
        }

        Assert.Equal([0, 1, 3, 7, 15, 31, 63, 127, 255, 255], leftOut);

        Assert.Equal(255, LeftOut(ref patience));
        patience.Paid();
        Assert.True(patience.Allows());
    }

    private static int LeftOut(ref BusyWait.Patience patience)
    {
        var count = 0;
        while (!patience.Allows())
        {
            count++;
        }

        return count;
    }

    private static BusyWait AloneWith(long client, TimeSpan limit)
    {
        var wait = new BusyWait(limit);
        for (var i = 0; i <= BusyWait.Alone; i++)
        {
            wait.Came(client);
        }

        return wait;
    }

    private bool Wait(BusyWait wait)
    {
        var patience = default(BusyWait.Patience);
        return wait.UntilReadable(_reading, ref patience);
    }
}
