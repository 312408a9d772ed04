using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Platform.SecurityTool.Stack;

/// <summary>The TCP ports on which processes listen. <see href="https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html"/></summary>
internal static class ListeningSockets
{
    private const string Listening = "0A";

    /// <summary>The ports of a process; none when it has ended, or nothing of it can be seen.</summary>
    /// <param name="process">Its id.</param>
    public static IReadOnlyList<IPEndPoint> Of(int process)
    {
        var directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}");
        try
        {
            var inodes = new HashSet<string>(StringComparer.Ordinal);
            foreach (var descriptor in Directory.EnumerateFiles($"{directory}/fd"))
            {
                if (new FileInfo(descriptor).LinkTarget is { } target && target.StartsWith("socket:[", StringComparison.Ordinal))
                {
                    inodes.Add(target["socket:[".Length..^1]);
                }
            }

            // Of the network that the process is in.
            return [.. Parse(File.ReadLines($"{directory}/net/tcp"), inodes), .. Parse(File.ReadLines($"{directory}/net/tcp6"), inodes)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Reads the lines of <c>/proc/net/tcp</c> or <c>tcp6</c>.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="inodes">The sockets that are asked for.</param>
    public static IEnumerable<IPEndPoint> Parse(IEnumerable<string> lines, IReadOnlySet<string> inodes)
    {
        foreach (var line in lines.Skip(1))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 9 && words[3] == Listening && inodes.Contains(words[9]))
            {
                var colon = words[1].IndexOf(':', StringComparison.Ordinal);
                var address = Convert.FromHexString(words[1][..colon]);
                // Words of four bytes each, in the order of this processor's.
                for (var at = 0; BitConverter.IsLittleEndian && at < address.Length; at += 4)
                {
                    var word = address.AsSpan(at, 4);
                    BinaryPrimitives.WriteUInt32BigEndian(word, BinaryPrimitives.ReadUInt32LittleEndian(word));
                }

                yield return new(new IPAddress(address), int.Parse(words[1].AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
        }
    }
}
