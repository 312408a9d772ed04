using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Aspire.Hosting.Dcp;

/// <summary>What .NET does not offer about processes.</summary>
internal static class UnixProcess
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int SigTerm = 15;

    /// <summary>The process at the other end of a Unix socket (unix(7), SO_PEERCRED: pid, uid, gid); null where that is not known.</summary>
    public static int? PeerOf(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials) == credentials.Length
            ? MemoryMarshal.Read<int>(credentials)
            : null;
    }

    /// <summary>Sends SIGTERM; a process that has gone already is fine.</summary>
    public static void Terminate(int pid)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = Kill(pid, SigTerm);
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
#pragma warning disable SYSLIB1054 // two blittable integers need no generated marshalling, which would need unsafe code
    private static extern int Kill(int pid, int signal);
#pragma warning restore SYSLIB1054
}
