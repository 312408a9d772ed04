namespace Platform.Tests.TestKit.Processes;

/// <summary>Processes found by a variable of their environment, which those that they start inherit.</summary>
internal static class MarkedProcesses
{
    /// <summary>The processes, without this one, that have a variable with a value, by id with their command lines.</summary>
    /// <remarks>Reads <c>/proc</c>: Linux only.</remarks>
    public static Dictionary<int, string> Find(string variable, string value)
    {
        var found = new Dictionary<int, string>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var id) || id == Environment.ProcessId)
            {
                continue;
            }

            try
            {
                // One that has ended and waits for its parent has no command line any more.
                if (File.ReadAllText(Path.Combine(directory, "environ")).Split('\0').Contains($"{variable}={value}")
                    && File.ReadAllText(Path.Combine(directory, "cmdline")).Replace('\0', ' ').TrimEnd() is { Length: > 0 } command)
                {
                    found.Add(id, command);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It ended while it was looked at, or is another user's.
            }
        }

        return found;
    }
}
