namespace Platform.Tests.TestKit.Servers;

/// <summary>Ports of the loopback address.</summary>
internal static class FreePort
{
    /// <summary>One that nobody listens on now.</summary>
    public static int Find() => LoopbackPorts.Find(1)[0];

    /// <summary>Several that nobody listens on now.</summary>
    public static int[] Find(int count) => LoopbackPorts.Find(count);
}
