using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;

namespace Platform.Mongo.Changes;

/// <summary>
/// Follows the changes of some collections for as long as the process lives: over failovers and restarts of the server without missing one, and where that
/// cannot be had it says so. Each has a stream of its own: one for the whole database would need the right to read all of it. A server
/// without change streams, which is one that stands alone, is asked again from time to time.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it is told when changes cannot be followed.</param>
/// <remarks><see href="https://www.mongodb.com/docs/manual/changeStreams/"/></remarks>
public sealed partial class ChangeFollower(IMongoDatabase database, TimeProvider time, ILogger<ChangeFollower> logger)
{
    // $changeStream needs a replica set; or is no stage of this server at all.
    private static readonly HashSet<int> s_unsupported = [40573, 40324, 115];

    // The place to go on from is gone: it is no longer in the oplog, or the token is not this server's.
    private static readonly HashSet<int> s_lost = [286, 280, 260];

    // Without a change, the server answers after so long. It is told, so that nobody takes the wait for a slow command.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    /// <summary>How long a server without change streams is left alone before it is asked again.</summary>
    public static TimeSpan UnsupportedPause => TimeSpan.FromMinutes(1);

    /// <summary>Follows until cancelled.</summary>
    /// <param name="collections">The collections.</param>
    /// <param name="stages">The stages behind <c>$changeStream</c>; they must keep <c>_id</c>.</param>
    /// <param name="fullDocument">Which document the events of updates have.</param>
    /// <param name="listener">Who is told; it hears that following began when all collections are followed, and that it ended when one of them is not.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FollowAsync(
        IReadOnlyList<string> collections, IReadOnlyList<BsonDocument> stages, ChangeStreamFullDocumentOption fullDocument, IChangeListener listener,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(collections);
        ArgumentNullException.ThrowIfNull(listener);
        using var together = new StreamsTogether(listener, collections.Count);
        // A stream that waits for changes has a connection to itself: with those of requests, a small pool would have none left for them.
        var settings = database.Client.Settings.Clone();
        (settings.MinConnectionPoolSize, settings.MaxConnectionPoolSize) = (0, collections.Count + 1);
        using var client = new MongoClient(settings);
        var own = client.GetDatabase(database.DatabaseNamespace.DatabaseName, database.Settings);
        await Task.WhenAll(collections.Select(collection => FollowAsync(
            own.GetCollection<BsonDocument>(collection), stages.ToArray(), fullDocument, together, cancellationToken)));
    }

    private async Task FollowAsync(
        IMongoCollection<BsonDocument> collection, PipelineDefinition<ChangeStreamDocument<BsonDocument>, BsonDocument> pipeline,
        ChangeStreamFullDocumentOption fullDocument, StreamsTogether together, CancellationToken cancellationToken)
    {
        BsonDocument? token = null;
        var pause = s_firstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            var hasBegun = false;
            try
            {
                var options = new ChangeStreamOptions { FullDocument = fullDocument, ResumeAfter = token, MaxAwaitTime = s_patience };
                using var stream = await collection.WatchAsync(pipeline, options, cancellationToken);
                await together.BeganAsync(missed: token is null, cancellationToken);
                hasBegun = true;
                token = stream.GetResumeToken() ?? token;
                pause = s_firstPause;
                while (await stream.MoveNextAsync(cancellationToken))
                {
                    if (stream.Current.ToList() is { Count: > 0 } events)
                    {
                        await together.ChangedAsync(events, cancellationToken);
                    }

                    token = stream.GetResumeToken();
                }

                // The collection was dropped or renamed, and the stream ended with it.
                await together.EndedAsync();
                token = null;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever it was, the next attempt sees; a process does not end for it.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (hasBegun)
                {
                    await together.EndedAsync();
                }

                pause = await PauseAsync(exception, pause, cancellationToken);
                token = exception is MongoCommandException { Code: var code } && s_lost.Contains(code) ? null : token;
            }
        }
    }

    private async Task<TimeSpan> PauseAsync(Exception exception, TimeSpan pause, CancellationToken cancellationToken)
    {
        var isUnsupported = exception is MongoCommandException command && s_unsupported.Contains(command.Code);
        if (isUnsupported)
        {
            Unsupported(logger, database.DatabaseNamespace.DatabaseName);
        }
        else if (MongoErrors.IsAway(exception))
        {
            Away(logger, exception.Message.ReplaceLineEndings(" "));
        }
        else
        {
            Failed(logger, exception);
        }

        var now = isUnsupported ? UnsupportedPause : pause;
        await Task.Delay(now, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return isUnsupported ? pause : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, s_longestPause.Ticks));
    }

    [LoggerMessage(1, LogLevel.Information, "Changes of {Database} cannot be followed: the server stands alone, and only replica sets have change streams")]
    private static partial void Unsupported(ILogger logger, string database);

    [LoggerMessage(2, LogLevel.Warning, "Changes cannot be followed for now: {Reason}")]
    private static partial void Away(ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Error, "Following changes failed, and begins anew")]
    private static partial void Failed(ILogger logger, Exception exception);
}
