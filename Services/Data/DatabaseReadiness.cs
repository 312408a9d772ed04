using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Data;

/// <summary>Waits for a database to answer.</summary>
public static class DatabaseReadiness
{
    private static readonly TimeSpan Attempt = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Pings until the server that takes writes answers.</summary>
    /// <param name="database">The database.</param>
    /// <param name="timeout">How long to try.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onWaiting">Told once, when the first attempt failed, in one sentence.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="DatabaseUnavailableException">Nothing answered in time, or the user name or password is wrong.</exception>
    public static async Task WaitAsync(
        IMongoDatabase database, TimeSpan timeout, TimeProvider time, Action<string> onWaiting, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(onWaiting);

        var servers = string.Join(", ", database.Client.Settings.Servers);
        var started = time.GetTimestamp();
        var pause = TimeSpan.FromMilliseconds(100);
        for (var attempt = 1; ; attempt++)
        {
            using var limit = new CancellationTokenSource(Attempt, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            Exception failure;
            try
            {
                await database.RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), ReadPreference.Primary, either.Token);
                return;
            }
            catch (OperationCanceledException exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                failure = exception;
            }
            catch (Exception exception) when (exception is MongoException or TimeoutException)
            {
                failure = exception;
            }

            if (Find<MongoAuthenticationException>(failure) is { } refused)
            {
                throw new DatabaseUnavailableException($"MongoDB at {servers} refused the user name or password of ConnectionStrings:{ResourceNames.Database}.", refused);
            }

            var reason = Reason(database, failure);
            if (time.GetElapsedTime(started) >= timeout)
            {
                var seconds = timeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
                throw new DatabaseUnavailableException($"MongoDB at {servers} did not answer within {seconds} s: {reason}", failure);
            }

            if (attempt == 1)
            {
                onWaiting($"Waiting for MongoDB at {servers}: {reason}");
            }

            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    // The driver's own message describes its whole view of the cluster; what a person needs is why the server was not reached.
    private static string Reason(IMongoDatabase database, Exception failure)
    {
        var seen = database.Client.Cluster.Description.Servers
            .Select(server => server.HeartbeatException?.GetBaseException().Message)
            .FirstOrDefault(message => message is not null);
        return (seen ?? (failure is OperationCanceledException ? "no answer" : failure.GetBaseException().Message))
            .ReplaceLineEndings(" ").TrimEnd('.') + ".";
    }

    private static TException? Find<TException>(Exception? exception)
        where TException : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is TException found)
            {
                return found;
            }
        }

        return null;
    }
}
