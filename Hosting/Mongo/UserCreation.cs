using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Hosting.Mongo;

/// <summary>Makes a user when the replica set is ready, or gives one that is there its password and roles.</summary>
internal static partial class UserCreation
{
    // https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
    private const int UserExists = 51003;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>Works until the user is there, or is refused.</summary>
    public static async Task RunAsync(MongoReplicaSetUserResource user, InitializeResourceEvent initialize, CancellationToken cancellationToken)
    {
        var set = user.Parent.Parent;
        var lifetime = initialize.Services.GetRequiredService<IHostApplicationLifetime>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping, cancellationToken);
        try
        {
            await TellAsync(KnownResourceStates.Waiting);
            // Not by the wait for a resource, which ends when that fails: somebody may start its servers again.
            await initialize.Notifications.WaitForResourceHealthyAsync(set.Name, WaitBehavior.WaitOnResourceUnavailable, stopping.Token);
            if (user.Password is not null)
            {
                await MakeAsync(user, await user.Password.GetValueAsync(stopping.Token), initialize.Logger, stopping.Token);
            }

            await initialize.Eventing.PublishAsync(new ConnectionStringAvailableEvent(user, initialize.Services), stopping.Token);
            await TellAsync(KnownResourceStates.Running);
        }
        catch (MongoCommandException exception)
        {
            Refused(initialize.Logger, user.UserName, exception.Message);
            await TellAsync(KnownResourceStates.FailedToStart);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The graph stops.
        }

        Task TellAsync(string state) => initialize.Notifications.PublishUpdateAsync(
            user,
            snapshot => snapshot with
            {
                State = state, StartTimeStamp = state == KnownResourceStates.Running ? DateTime.UtcNow : snapshot.StartTimeStamp,
            });
    }

    private static async Task MakeAsync(MongoReplicaSetUserResource user, string? password, ILogger logger, CancellationToken cancellationToken)
    {
        var client = await user.Parent.Parent.ConnectAsync(cancellationToken);
        var admin = client.GetDatabase("admin");
        while (true)
        {
            try
            {
                try
                {
                    await admin.RunCommandAsync<BsonDocument>(Command("createUser"), ReadPreference.Primary, cancellationToken);
                }
                catch (MongoCommandException exception) when (exception.Code == UserExists)
                {
                    await admin.RunCommandAsync<BsonDocument>(Command("updateUser"), ReadPreference.Primary, cancellationToken);
                }

                return;
            }
            catch (Exception exception) when (exception is MongoConnectionException or MongoNotPrimaryException or MongoNodeIsRecoveringException
                or MongoExecutionTimeoutException or TimeoutException)
            {
                // Between two primaries, for example.
                Again(logger, user.UserName, exception.Message);
                await Task.Delay(s_pause, cancellationToken);
            }
        }

        BsonDocument Command(string name) => new()
        {
            { name, user.UserName },
            { "pwd", password },
            { "roles", new BsonArray(user.Roles.Select(role => new BsonDocument { { "role", role }, { "db", user.Parent.DatabaseName } })) },
            { "mechanisms", new BsonArray { "SCRAM-SHA-256" } },
        };
    }

    [LoggerMessage(LogLevel.Error, "The user {User} was not made: {Reason}")]
    private static partial void Refused(ILogger logger, string user, string reason);

    [LoggerMessage(LogLevel.Warning, "The user {User} is not made yet, and it is tried again: {Reason}")]
    private static partial void Again(ILogger logger, string user, string reason);
}
