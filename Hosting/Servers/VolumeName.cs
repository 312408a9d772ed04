using System.Security.Cryptography;
using System.Text;

namespace Platform.Hosting.Servers;

/// <summary>The container volumes in which servers keep their data.</summary>
public static class VolumeName
{
    /// <summary>
    /// The name of a resource's volume. It belongs to the data directory, which another checkout and each test have of their
    /// own, so that data is only ever met by the passwords that it was made with.
    /// </summary>
    /// <param name="prefix">What it begins with.</param>
    /// <param name="dataDirectory">Where the graph's servers would keep their data if they were processes of the machine.</param>
    /// <param name="resource">The resource; empty for what the names of all of them begin with.</param>
    /// <returns>For example <c>shop-0123456789ab-cache</c>.</returns>
    public static string Of(string prefix, string dataDirectory, string resource)
        => $"{prefix}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataDirectory)))[..12]}-{resource}";
}
