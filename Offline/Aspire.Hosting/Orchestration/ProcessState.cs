using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dcp;

namespace Aspire.Hosting.Orchestration;

/// <summary>Translates what dcp says of a process into the state of its resource.</summary>
internal static class ProcessState
{
    public static CustomResourceSnapshot Apply(ProcessInstance process, DcpExecutableStatus status, CustomResourceSnapshot snapshot)
    {
        var terminal = ProcessInstance.IsTerminal(status.State);
        // A project's program is run by `dotnet PROGRAM`: the path is ours, the rest is the graph's.
        var appArgs = process.Arguments.Skip(process.Resource is ProjectResource ? 1 : 0).ToImmutableArray();
        return snapshot with
        {
            State = StateOf(status) ?? snapshot.State,
            ExitCode = terminal ? ExitCode(process, status) : null,
            StartTimeStamp = Utc(status.StartupTimestamp) ?? snapshot.StartTimeStamp,
            StopTimeStamp = terminal ? Utc(status.FinishTimestamp) ?? DateTime.UtcNow : null,
            EnvironmentVariables = [.. process.Environment.Select(v => new EnvironmentVariableSnapshot(v.Name, v.Value, IsFromSpec: true))],
            Urls = [.. snapshot.Urls.Select(u => u with { IsInactive = status.State != "Running" })],
            Properties = snapshot.Properties
                .WithProperty(KnownProperties.Executable.Pid, status.Pid)
                .WithProperty(KnownProperties.Executable.Args, process.Arguments.ToImmutableArray(), sensitive: true)
                .WithProperty(KnownProperties.Resource.AppArgs, appArgs, sensitive: true)
                .WithProperty(KnownProperties.Resource.AppArgsSensitivity, appArgs.Select(_ => 0).ToImmutableArray(), sensitive: true),
        };
    }

    public static ResourceStateSnapshot? StateOf(DcpExecutableStatus status) => status.State switch
    {
        null or "" => null,
        "Starting" => new ResourceStateSnapshot(KnownResourceStates.Starting, KnownResourceStateStyles.Info),
        "Running" => new ResourceStateSnapshot(KnownResourceStates.Running, KnownResourceStateStyles.Success),
        "Stopping" => new ResourceStateSnapshot(KnownResourceStates.Stopping, KnownResourceStateStyles.Info),
        "FailedToStart" => new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error),
        _ => new ResourceStateSnapshot(KnownResourceStates.Finished, status.ExitCode is 0 ? KnownResourceStateStyles.Info : KnownResourceStateStyles.Error),
    };

    // -1 is a death by signal. After a stop that is how many programs end; otherwise it is a crash, which a wait for completion must not pass.
    private static int? ExitCode(ProcessInstance process, DcpExecutableStatus status)
        => status.ExitCode is -1 && process.StopRequested ? null : status.ExitCode;

    private static DateTime? Utc(DateTime? time) => time?.ToUniversalTime();
}
