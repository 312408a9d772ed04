using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Backup.Drills;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Work;

namespace Platform.Backup.Agent;

/// <summary>
/// Makes backups when they are due, verifies them, tries a restore, removes what the policy does not keep, and closes what a failover left open in the
/// archive. When a backup is due the repository says, not the agent's memory: two agents do not make two, and what was missed while none ran is made up for.
/// </summary>
internal sealed partial class BackupAgent(
    BackupStanding standing, BackupWork work, IDrill drill, AgentState state, IOptions<BackupOptions> options, TimeProvider time,
    ILogger<BackupAgent> logger)
    : BackgroundService
{
    private DateTimeOffset _notBefore = DateTimeOffset.MinValue;
    private bool _isPrepared;

    /// <summary>Looks once, and does what is due.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await TryAsync("look", async () =>
        {
            state.Status = await standing.LookAsync(cancellationToken);
            if (state.Status is { Archive.Primary: not null } && (!_isPrepared || state.Status.Archive.Failure is not null))
            {
                // A database that was made anew is not archived before.
                await work.PrepareAsync(cancellationToken);
                _isPrepared = true;
                state.Status = await standing.LookAsync(cancellationToken);
            }

            if (state.Status is { Window.Gap: not null, Archive.Primary: not null } && (await work.CloseGapsAsync(cancellationToken)).Count > 0)
            {
                state.Status = await standing.LookAsync(cancellationToken);
            }
        });
        if (state.Status is not { Archive.Primary: not null } status || time.GetUtcNow() < _notBefore)
        {
            return;
        }

        // After a gap only a new backup makes later moments restorable.
        if (status.DueSince is not null || status is { Newest: not null, Window.Gap: not null })
        {
            LogDue(status.DueSince ?? status.Now);
            await TryAsync("backup", async () =>
            {
                var backup = await work.RunAsync(cancellationToken);
                LogMade(backup.Label, (backup.Stop - backup.Start).TotalSeconds, backup.RepositoryBytes >> 10);
                await work.ExpireAsync(dryRun: false, cancellationToken);
                state.Status = await standing.LookAsync(cancellationToken);
            });
        }
        else if (options.Value.IsVerificationDue(status.Verification?.At ?? status.Newest?.Start, time.GetUtcNow()))
        {
            await TryAsync("verification", async () =>
            {
                var verification = await work.VerifyAsync(label: null, accept: false, cancellationToken);
                foreach (var finding in verification.Findings)
                {
                    LogFinding(finding.Subject, finding.Fault);
                }

                state.Status = await standing.LookAsync(cancellationToken);
            });
        }
        else if (status.DrillDue is { } due && due <= time.GetUtcNow())
        {
            await TryAsync("drill", async () =>
            {
                LogDrill((await drill.RunAsync(cancellationToken)).Sentence());
                state.Status = await standing.LookAsync(cancellationToken);
            });
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Interval, time);
        do
        {
            await LookAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    // Whatever it is: it is said, in the log, in the health and in the metrics, and tried again.
    private async Task TryAsync(string what, Func<Task> attempt)
    {
        try
        {
            await attempt();
            if (state.Failure?.Work == what)
            {
                state.Failure = null;
            }
        }
        catch (BackupException e) when (e.ExitCode == ExitCodes.Busy)
        {
            LogBusy(what, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            state.Failure = new AgentFailure(time.GetUtcNow(), what, e.Message.ReplaceLineEndings(" "));
            state.Failures++;
            if (what != "look")
            {
                _notBefore = time.GetUtcNow() + options.Value.RetryDelay;
            }

            if (e is BackupException)
            {
                LogFailed(what, e.Message);
            }
            else
            {
                LogBroken(e, what);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "A backup is due since {Since:u}")]
    private partial void LogDue(DateTimeOffset since);

    [LoggerMessage(LogLevel.Information, "{Label} was made in {Seconds:0} s, verified, and takes {Kibibytes} KiB of the repository")]
    private partial void LogMade(string label, double seconds, long kibibytes);

    [LoggerMessage(LogLevel.Error, "Verification: {Subject} {Fault}")]
    private partial void LogFinding(string subject, string fault);

    [LoggerMessage(LogLevel.Information, "A restore was tried: {Outcome}")]
    private partial void LogDrill(string outcome);

    [LoggerMessage(LogLevel.Information, "The {Work} waits: {Reason}")]
    private partial void LogBusy(string work, string reason);

    [LoggerMessage(LogLevel.Error, "The {Work} failed: {Reason}")]
    private partial void LogFailed(string work, string reason);

    [LoggerMessage(LogLevel.Error, "The {Work} failed")]
    private partial void LogBroken(Exception exception, string work);
}
