using System.Collections.Concurrent;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;

namespace Platform.Tests.TestKit.Failover;

/// <summary>A change stream that counts the inserts that it is told of, through the driver's own resumption.</summary>
internal sealed class CountingStream : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly IMongoCollection<BsonDocument> _documents;
    private readonly ConcurrentDictionary<long, int> _seen = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private int _reopened;

    private CountingStream(IMongoCollection<BsonDocument> documents)
    {
        _documents = documents;
        _reading = ReadAsync(_stop.Token);
    }

    /// <summary>How often the driver gave up and the stream was opened anew at its last token.</summary>
    public int Reopened => _reopened;

    /// <summary>Why it ended; null as long as it goes on.</summary>
    public Exception? Failure => _reading.Exception?.InnerException;

    /// <summary>Opens it. From then on every insert is seen.</summary>
    /// <param name="documents">The collection.</param>
    /// <returns>Null when the server has no change streams.</returns>
    public static async Task<CountingStream?> OpenAsync(IMongoCollection<BsonDocument> documents)
    {
        var stream = new CountingStream(documents);
        try
        {
            await stream._open.Task;
            return stream;
        }
        catch (MongoCommandException)
        {
            await stream.DisposeAsync();
            return null;
        }
    }

    /// <summary>Waits for the events of documents, and compares them with those.</summary>
    /// <param name="there">The numbers of the documents.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Of whom no event came within a minute, of whom several came, and of whom one came although they are not there.</returns>
    public async Task<(IReadOnlyCollection<long> Lost, IReadOnlyCollection<long> Doubled, IReadOnlyCollection<long> Phantoms)> AuditAsync(
        IReadOnlySet<long> there, CancellationToken cancellationToken)
    {
        try
        {
            await Wait.UntilAsync(
                () => _reading.IsFaulted || there.All(_seen.ContainsKey), "the change stream has told of every document", cancellationToken);
        }
        catch (TimeoutException)
        {
            // Those are the lost ones.
        }

        if (_reading.IsFaulted)
        {
            await _reading;
        }

        return (
            [.. there.Where(number => !_seen.ContainsKey(number))],
            [.. _seen.Where(seen => seen.Value > 1).Select(seen => seen.Key)],
            [.. _seen.Keys.Where(number => !there.Contains(number))]);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _reading;
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            // Told by the audit, or by the opening.
        }

        _stop.Dispose();
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        BsonDocument? token = null;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var cursor = await _documents.WatchAsync(new ChangeStreamOptions { ResumeAfter = token }, stop);
                token ??= cursor.GetResumeToken();
                _open.TrySetResult();
                while (await cursor.MoveNextAsync(stop))
                {
                    foreach (var change in cursor.Current.Where(change => change.OperationType == ChangeStreamOperationType.Insert))
                    {
                        _seen.AddOrUpdate(change.DocumentKey["_id"].ToInt64(), 1, (_, count) => count + 1);
                    }

                    token = cursor.GetResumeToken() ?? token;
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (_open.Task.IsCompletedSuccessfully && token is not null && IsPassing(exception))
            {
                // The driver resumes once by itself; an outage may last longer.
                Interlocked.Increment(ref _reopened);
                await Task.Delay(s_pause, CancellationToken.None);
            }
            catch (Exception exception) when (_open.TrySetException(exception))
            {
                return;
            }
        }
    }

    private static bool IsPassing(Exception exception) => exception is TimeoutException || MongoErrors.IsConnectionLoss(exception)
        || (exception is MongoException resumable && resumable.HasErrorLabel("ResumableChangeStreamError"));
}
