using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Hosting.Mongo;

/// <summary>Commands of the dashboard that try out what happens when the primary goes.</summary>
public static class PrimaryCommands
{
    /// <summary>The name of the command that lets the primary step down.</summary>
    public const string StepDown = "step-down-primary";

    /// <summary>The name of the command that kills its process.</summary>
    public const string Kill = "kill-primary";

    // For so long the one that stepped down is no candidate; and the time that it gives a secondary to catch up.
    private const int StepDownSeconds = 20;
    private const int CatchUpSeconds = 10;

    /// <summary>
    /// Adds the commands that try out what happens when the primary goes: one lets it step down, one kills it. Both wait for
    /// the new primary and tell how long there was none. The killing one is there in development, where the processes are
    /// ours.
    /// </summary>
    /// <param name="mongo">The set.</param>
    public static IResourceBuilder<MongoReplicaSetResource> WithPrimaryCommands(
        this IResourceBuilder<MongoReplicaSetResource> mongo)
    {
        ArgumentNullException.ThrowIfNull(mongo);
        mongo.WithCommand(
            StepDown,
            "Step down the primary",
            context => RunAsync(mongo.Resource, StepDownAsync, context.CancellationToken),
            new CommandOptions
            {
                Description = "Hands over to a secondary that has everything, and tells how long there was no primary.",
                ConfirmationMessage = "Let the primary step down? Writes wait until there is a new one.",
                IconName = "ArrowStepOver",
                UpdateState = OnlyWhileHealthy,
            });
        if (mongo.Resource.KillMember is { } kill && mongo.ApplicationBuilder.Environment.IsDevelopment())
        {
            mongo.WithCommand(
                Kill,
                "Kill the primary",
                context => RunAsync(
                    mongo.Resource,
                    async (client, token) => await kill(await ProcessOfPrimaryAsync(client, token), context.Services, token),
                    context.CancellationToken),
                new CommandOptions
                {
                    Description = "Kills its process as a crash would, and tells how long there was no primary.",
                    ConfirmationMessage = "Kill the process of the primary? It starts again by itself.",
                    IconName = "PlugDisconnected",
                    UpdateState = OnlyWhileHealthy,
                });
        }

        return mongo;
    }

    private static ResourceCommandState OnlyWhileHealthy(UpdateCommandStateContext context)
        => context.ResourceSnapshot.HealthStatus == HealthStatus.Healthy ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;

    private static async Task<ExecuteCommandResult> RunAsync(
        MongoReplicaSetResource mongo, Func<IMongoClient, CancellationToken, Task> letGoAsync,
        CancellationToken cancellationToken)
    {
        try
        {
            var client = await mongo.ConnectAsync(cancellationToken);
            var change = await PrimaryChange.OfAsync(
                client, _ => letGoAsync(client, cancellationToken), cancellationToken);
            return CommandResults.Success(change.ToString());
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException or InvalidOperationException)
        {
            return CommandResults.Failure($"The primary did not change: {exception.Message}");
        }
    }

    private static async Task StepDownAsync(IMongoClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                new BsonDocument { { "replSetStepDown", StepDownSeconds }, { "secondaryCatchUpPeriodSecs", CatchUpSeconds } },
                ReadPreference.Primary,
                cancellationToken);
        }
        catch (MongoConnectionException)
        {
            // Some servers close their connections as they step down.
        }
    }

    private static async Task<int> ProcessOfPrimaryAsync(IMongoClient client, CancellationToken cancellationToken)
        => (await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument("serverStatus", 1), ReadPreference.Primary, cancellationToken))["pid"].ToInt32();
}
