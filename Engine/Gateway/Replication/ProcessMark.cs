using System.Globalization;
using System.Runtime.InteropServices;

namespace Platform.Gateway.Replication;

/// <summary>A process, told from every other one that has had its number or will have it by when it was started.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Started">When it was started, in the kernel's ticks.</param>
internal readonly partial record struct ProcessMark(int Id, long Started)
{
    private const string DataDirectoryVariable = "Gateway__DataDirectory";
    private const int KillAtOnce = 9;

    // Field 22 of /proc/PID/stat; the second one, the name in brackets, may have spaces.
    private const int StartedAfterName = 19;

    /// <summary>The number of the process that started this one; another one's when that has ended.</summary>
    public static int Parent => GetParent();

    /// <summary>The process of this number; null when there is none.</summary>
    public static ProcessMark? Of(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] == "Z" ? null : new ProcessMark(id, long.Parse(fields[StartedAfterName], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or IOException)
        {
            return null;
        }
    }

    /// <summary>Reads <c>ID STARTED</c>; null for anything else.</summary>
    public static ProcessMark? Parse(string text) =>
        text.Trim().Split(' ') is [var id, var started] && int.TryParse(id, CultureInfo.InvariantCulture, out var number)
            && long.TryParse(started, CultureInfo.InvariantCulture, out var since)
            ? new ProcessMark(number, since)
            : null;

    /// <summary>Whether it still runs.</summary>
    public bool IsAlive => Of(Id) == this;

    /// <summary>
    /// Whether it was started for the member with a data directory. Its environment tells, which its parent gave it and nobody changes:
    /// a number that was written down before the machine was started again may be anybody's now.
    /// </summary>
    public bool IsOf(string dataDirectory)
    {
        try
        {
            return IsAlive && File.ReadAllText($"/proc/{Id}/environ").Split('\0').Contains($"{DataDirectoryVariable}={dataDirectory}");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile, or is another user's.
            return false;
        }
    }

    /// <summary>Kills it, also when it is stopped.</summary>
    public void Kill()
    {
        if (IsAlive)
        {
            // When it has ended in between there is nothing left to kill.
            _ = Kill(Id, KillAtOnce);
        }
    }

    /// <summary>Sends it a signal, if it still runs.</summary>
    public void Signal(int signal)
    {
        if (IsAlive)
        {
            _ = Kill(Id, signal);
        }
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id} {Started}");

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
