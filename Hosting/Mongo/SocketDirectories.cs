using System.Security.Cryptography;
using System.Text;

namespace Platform.Hosting.Mongo;

internal static class SocketDirectories
{
    // sockaddr_un.sun_path: 108 bytes with the terminating zero. https://man7.org/linux/man-pages/man7/unix.7.html
    private const int LongestPath = 107;
    private const string LongestFile = ".s.PGSQL.5432.lock";

    /// <summary>
    /// The directory for the Unix socket of the server whose data is in <paramref name="dataDirectory"/>: beside the
    /// data, or where that path is too long for a socket, a short one that is the same at every start.
    /// </summary>
    public static string For(string prefix, string dataDirectory)
    {
        var beside = $"{dataDirectory}-sockets";
        if (Encoding.UTF8.GetByteCount(Path.Combine(beside, LongestFile)) <= LongestPath)
        {
            return beside;
        }

        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 and < 60 } path
            && Directory.Exists(path)
            ? path
            : Path.GetTempPath();
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataDirectory)))[..16];
        return Path.Combine(runtime, $"{prefix}-{Environment.UserName}-{hash}");
    }
}
