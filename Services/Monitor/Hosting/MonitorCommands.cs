using System.CommandLine;
using Platform.Jobs;
using Platform.Monitor.Alerting;
using Platform.Monitor.Queries;

namespace Platform.Monitor.Hosting;

/// <summary>The command line of the monitor.</summary>
internal static class MonitorCommands
{
    /// <summary>Makes it.</summary>
    public static Command Create()
    {
        var root = JobCommandLine.Create(ResourceNames.Monitor, $"""
            Watches the platform, and tells people.

            Exit codes: 0 done, 1 failed, 2 not there, 64 wrong command line, 69 no answer, 78 wrong setting.
            Settings: section {SettingNames.Monitor}; see docs/monitoring.md.
            """);
        var serve = new Command("serve", "Runs until it is stopped: takes the heartbeat, and says when there is none.");
        serve.SetAction((_, _) => MonitorProgram.RunAsync());
        root.Subcommands.Add(serve);
        root.Subcommands.Add(AlertsCommand.Create());
        root.Subcommands.Add(QueriesCommand.Create());
        return root;
    }
}
