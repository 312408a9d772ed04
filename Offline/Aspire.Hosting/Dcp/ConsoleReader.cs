using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dcp;

/// <summary>Copies the console of one process into the resource logs.</summary>
#pragma warning disable CA1001 // FinishAsync, which every process ends with, disposes of it
internal sealed partial class ConsoleReader
#pragma warning restore CA1001
{
    private readonly DcpClient _client;
    private readonly ResourceLoggerService _logs;
    private readonly string _name;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Source _output = new("stdout", IsError: false);
    private readonly Source _error = new("stderr", IsError: true);
    private readonly Task _following;

    public ConsoleReader(DcpClient client, ResourceLoggerService logs, string name, ILogger logger)
    {
        _client = client;
        _logs = logs;
        _name = name;
        _logger = logger;
        _following = Task.WhenAll(FollowAsync(_output), FollowAsync(_error));
    }

    /// <summary>
    /// Reads what is left when the process has ended. Following would tell of the end only five seconds later, so the rest is read
    /// by line number instead.
    /// </summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _following;
        foreach (var source in (Source[])[_output, _error])
        {
            try
            {
                await ReadAsync(source, follow: false, cancellationToken);
            }
            catch (Exception ex) when (ex is DcpException or HttpRequestException or IOException)
            {
                LogIncomplete(_logger, _name, ex.Message);
            }
        }

        _logs.Complete(_name);
        _stop.Dispose();
    }

    private async Task FollowAsync(Source source)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await ReadAsync(source, follow: true, _stop.Token);
                return;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception ex) when (ex is DcpException or HttpRequestException or IOException)
            {
                if (_stop.IsCancellationRequested)
                {
                    return;
                }

                LogInterrupted(_logger, _name, ex.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ReadAsync(Source source, bool follow, CancellationToken cancellationToken)
    {
        await foreach (var line in _client.ReadLogAsync(_name, source.Name, follow, source.Seen, cancellationToken))
        {
            source.Seen++;
            var stamped = LogTimestamp.TrySplit(line, out var time, out var text);
            _logs.Append(_name, text, source.IsError, stamped ? time : null);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The console of {Resource} was interrupted and is read again: {Reason}")]
    private static partial void LogInterrupted(ILogger logger, string resource, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The last console lines of {Resource} could not be read: {Reason}")]
    private static partial void LogIncomplete(ILogger logger, string resource, string reason);

    private sealed record Source(string Name, bool IsError)
    {
        public int Seen { get; set; }
    }
}
