namespace Aspire.Hosting.ApplicationModel;

/// <summary>Names of the commands that the host itself adds to resources.</summary>
public static class KnownResourceCommands
{
    /// <summary>Starts a stopped resource.</summary>
    public static readonly string StartCommand = "start";

    /// <summary>Stops a running resource.</summary>
    public static readonly string StopCommand = "stop";

    /// <summary>Stops and starts a running resource.</summary>
    public static readonly string RestartCommand = "restart";
}
