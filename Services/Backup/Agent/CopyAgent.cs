using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Backup.Agent;

/// <summary>
/// Keeps the copy of the repository up to date, beside whatever else the agent does: a store that is away makes nothing wait, is asked again after ever longer
/// pauses, and gets what it has missed when it is back.
/// </summary>
internal sealed partial class CopyAgent(
    CopyWork work, AgentState state, IOptions<BackupOptions> options, TimeProvider time, ILogger<CopyAgent> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(5);

    // How often it is written down that nothing waits.
    private static readonly TimeSpan s_note = TimeSpan.FromMinutes(1);

    private readonly string _directory = options.Value.Directory;
    private TimeSpan _pause;

    /// <summary>Does one round, and returns after which pause the next one is due.</summary>
    public async Task<TimeSpan> RunAsync(CancellationToken cancellationToken)
    {
        var before = CopyRecord.None;
        try
        {
            before = CopyRecord.Read(_directory);
            var round = await work.RunAsync(cancellationToken);
            _pause = TimeSpan.Zero;
            if (round.Objects > 0 || round.Removed > 0)
            {
                LogCopied(round.Objects, round.Bytes >> 10, round.Removed);
            }

            var now = time.GetUtcNow();
            if (before.Error is not null || (round.IsWhole && (round.Objects > 0 || before.LastSuccess is not { } last || (now - last).Duration() >= s_note)))
            {
                Note(new CopyRecord(round.IsWhole ? now : before.LastSuccess, null, null));
            }

            return round.IsCut ? TimeSpan.Zero : options.Value.Interval;
        }
        catch (BackupException e) when (e.ExitCode == ExitCodes.Busy)
        {
            // A command copies.
            return options.Value.Interval;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: it is said, and tried again.
            _pause = _pause == TimeSpan.Zero ? s_firstPause : TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, s_longestPause.Ticks));
            state.CopyFailures++;
            Note(before with { Error = e.Message.ReplaceLineEndings(" "), ErrorAt = before.ErrorAt ?? time.GetUtcNow() });
            if (e is BackupException)
            {
                LogFailed(_pause.TotalSeconds, e.Message);
            }
            else
            {
                LogBroken(e, _pause.TotalSeconds);
            }

            return _pause;
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(await RunAsync(stoppingToken), time, stoppingToken);
        }
    }

    private void Note(CopyRecord record)
    {
        if (Directory.Exists(_directory))
        {
            try
            {
                record.Write(_directory);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The disk is full, or the file is somebody else's: it is in the log, and the copy goes on.
                LogUnwritten(e.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "{Objects} objects, {Kibibytes} KiB, were copied, and {Removed} removed")]
    private partial void LogCopied(int objects, long kibibytes, int removed);

    [LoggerMessage(LogLevel.Error, "The copy failed, and is tried again after {Seconds:0} s: {Reason}")]
    private partial void LogFailed(double seconds, string reason);

    [LoggerMessage(LogLevel.Error, "The copy failed, and is tried again after {Seconds:0} s")]
    private partial void LogBroken(Exception exception, double seconds);

    [LoggerMessage(LogLevel.Error, "How the copy stands could not be written down: {Reason}")]
    private partial void LogUnwritten(string reason);
}
