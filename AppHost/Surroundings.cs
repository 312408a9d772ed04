namespace Platform.AppHost;

/// <summary>What the processes of the stack inherit from whoever starts it.</summary>
internal static class Surroundings
{
    private static readonly string[] s_loopback = ["localhost", "127.0.0.1", "[::1]", "::1"];

    /// <summary>
    /// Changes this process's environment, which the orchestrator, the dashboard and the services inherit. Call it
    /// before anything reads a setting or opens a connection.
    /// </summary>
    /// <remarks>
    /// The parts of the stack talk to each other over loopback, so a proxy must not see that traffic: .NET excludes
    /// only what NO_PROXY names (https://learn.microsoft.com/dotnet/api/system.net.http.httpclient.defaultproxy). And
    /// settings are read once, since watching their files takes each program one of the user's few inotify instances.
    /// </remarks>
    public static void Prepare()
    {
        foreach (var variable in (string[])["NO_PROXY", "no_proxy"])
        {
            Environment.SetEnvironmentVariable(variable, WithLoopback(Environment.GetEnvironmentVariable(variable)));
        }

        const string reload = "DOTNET_hostBuilder__reloadConfigOnChange";
        if (Environment.GetEnvironmentVariable(reload) is null or "")
        {
            Environment.SetEnvironmentVariable(reload, "false");
        }
    }

    /// <summary>A list of hosts that no proxy is used for, with this machine's own names in it.</summary>
    internal static string WithLoopback(string? noProxy)
    {
        string[] given = noProxy?.Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        return string.Join(',', given.Union(s_loopback, StringComparer.OrdinalIgnoreCase));
    }
}
