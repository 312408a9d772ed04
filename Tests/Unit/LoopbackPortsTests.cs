using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Platform.Tests.Unit;

/// <summary>Ports that servers are told before they run.</summary>
public sealed class LoopbackPortsTests
{
    [Fact]
    public void No_program_that_asks_for_any_port_can_get_one_of_them()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        var first = int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split('\t')[0], CultureInfo.InvariantCulture);
        Assert.SkipWhen(first < 32_768, "This machine was set to give other ports than Linux does by itself.");
        Assert.True(LoopbackPorts.Highest < first);
        Assert.All(LoopbackPorts.Find(50), port => Assert.InRange(port, LoopbackPorts.Lowest, LoopbackPorts.Highest));
    }

    [Fact]
    public async Task None_is_given_twice_although_many_ask_at_once()
    {
        var found = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => LoopbackPorts.Find(20), TestContext.Current.CancellationToken)));
        Assert.Equal(400, found.SelectMany(ports => ports).Distinct().Count());
    }

    [Fact]
    public void One_that_is_taken_is_passed_over()
    {
        var port = LoopbackPorts.Find(1)[0];
        Assert.True(LoopbackPorts.IsFree(port));
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        Assert.False(LoopbackPorts.IsFree(port));
    }
}
