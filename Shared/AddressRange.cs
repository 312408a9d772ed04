using System.Net;
using System.Net.Sockets;

namespace Platform;

/// <summary>Addresses of clients as settings and commands write them.</summary>
public static class AddressRange
{
    /// <summary>Reads an IP address, which is a range of one, or a range in CIDR form, such as <c>10.0.0.0/8</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="range">The range.</param>
    /// <returns>Whether it is either.</returns>
    public static bool TryParse(string text, out IPNetwork range)
    {
        range = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address) || !IsPlain(address, slash < 0 ? text : text[..slash]))
        {
            return false;
        }

        if (slash < 0)
        {
            range = new IPNetwork(address, address.GetAddressBytes().Length * 8);
            return true;
        }

        return IPNetwork.TryParse(text, out range);
    }

    /// <summary>Reads several, separated by semicolons; none where there is no text.</summary>
    /// <returns>Null: one is neither an address nor a range.</returns>
    public static IReadOnlyList<IPNetwork>? ListOf(string? text)
    {
        var ranges = new List<IPNetwork>();
        foreach (var entry in Entries(text))
        {
            if (!TryParse(entry, out var range))
            {
                return null;
            }

            ranges.Add(range);
        }

        return ranges;
    }

    /// <summary>The entries of such a text, as they are written.</summary>
    public static IReadOnlyList<string> Entries(string? text) =>
        (text ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Whether one of the ranges has an address; one of IPv4 in the form of IPv6 is one of IPv4.</summary>
    public static bool Contains(this IEnumerable<IPNetwork> ranges, IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var client = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return ranges.Any(range => range.Contains(client));
    }

    // Programs read "10.1" as 10.0.0.1 and "010.0.0.7" as 8.0.0.7; clients of IPv4 come as such; and a scope is of this machine alone.
    private static bool IsPlain(IPAddress address, string text) => address.AddressFamily == AddressFamily.InterNetwork
        ? address.ToString() == text
        : !address.IsIPv4MappedToIPv6 && address.ScopeId == 0 && !text.Contains('[', StringComparison.Ordinal) && !text.Contains('%', StringComparison.Ordinal);
}
