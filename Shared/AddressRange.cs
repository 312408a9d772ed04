using System.Net;

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
        if (IPAddress.TryParse(text, out var single))
        {
            range = new IPNetwork(single, single.GetAddressBytes().Length * 8);
            return true;
        }

        return IPNetwork.TryParse(text, out range);
    }
}
