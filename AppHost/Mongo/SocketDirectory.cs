using System.Security.Cryptography;
using System.Text;

namespace Platform.AppHost.Mongo;

internal static class SocketDirectory
{
    /// <summary>
    /// The directory for the Unix socket of the server whose data is in <paramref name="dataDirectory"/>: short, because a
    /// socket's path holds 107 bytes, and the same at every start.
    /// </summary>
    public static string For(string dataDirectory)
    {
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 and < 60 } path && Directory.Exists(path)
            ? path
            : Path.GetTempPath();
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataDirectory)))[..16];
        return Path.Combine(runtime, $"platform-{Environment.UserName}-{hash}");
    }
}
