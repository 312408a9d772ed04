namespace Platform.Hosting.Servers;

/// <summary>Ports of this machine for servers that name them to each other before they run.</summary>
public static class FreePorts
{
    /// <summary>
    /// The ports that a file names, if nobody listens on any of them now; else others. So servers have the same ports at each start, if they can.
    /// </summary>
    /// <param name="count">How many.</param>
    /// <param name="file">The file, of <see cref="Keep"/>; it need not exist.</param>
    public static int[] FindKept(int count, string file) =>
        File.Exists(file)
        && Array.ConvertAll(File.ReadAllText(file).Split(' '), text => int.TryParse(text, out var port) ? port : -1) is var kept
        && kept.Length == count && kept.Distinct().Count() == count
        // Those of another range are from before there was this one: others may be given them.
        && Array.TrueForAll(kept, port => port is >= LoopbackPorts.Lowest and <= LoopbackPorts.Highest && LoopbackPorts.IsFree(port))
            ? kept
            : LoopbackPorts.Find(count);

    /// <summary>Writes ports down for the next start.</summary>
    /// <param name="ports">The ports.</param>
    /// <param name="file">The file.</param>
    public static void Keep(IEnumerable<int> ports, string file) => File.WriteAllText(file, string.Join(' ', ports));
}
