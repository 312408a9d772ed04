using System.Diagnostics;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;
using Platform.SecurityTool.Stack;

namespace Platform.SecurityTool.Secrets;

/// <summary>A program's user of MongoDB, who has one password. A connection that is logged in stays so; programs try both on a new one.</summary>
/// <param name="stack">The stack.</param>
/// <param name="program">The program.</param>
internal sealed class MongoUser(RunningStack stack, string program) : IRotatedServer
{
    // Longer than an election, and than a member takes that was away for a moment.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly string _name = MongoNames.UserOf(stack.Database, program);

    /// <inheritdoc/>
    public TimeSpan Overlap => TimeSpan.Zero;

    /// <inheritdoc/>
    public async Task AcceptAsync(string password, CancellationToken cancellationToken)
    {
        var settings = MongoTls.SettingsOf(stack.Mongo);
        settings.ServerSelectionTimeout = s_patience;
        using var client = new MongoClient(settings);
        try
        {
            await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                new BsonDocument { { "updateUser", _name }, { "pwd", password }, { "writeConcern", new BsonDocument("w", "majority") } },
                ReadPreference.Primary, cancellationToken);
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            throw new RotationException($"MongoDB did not change the password of {_name}: {Sentence(exception)}", exception);
        }

        // Until every member has it, programs need the old one too.
        await Task.WhenAll(stack.MongoServers.Select(async server =>
        {
            var began = Stopwatch.GetTimestamp();
            while (await RefusalAsync(server, password, cancellationToken) is { } refusal)
            {
                if (Stopwatch.GetElapsedTime(began) > s_patience)
                {
                    throw new RotationException($"{server.Host}:{server.Port} does not take the new password of {_name}: {Sentence(refusal)}", refusal);
                }

                await Task.Delay(s_pause, cancellationToken);
            }
        }));
    }

    /// <inheritdoc/>
    public Task KeepOnlyAsync(string password, CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<Exception?> RefusalAsync(System.Net.DnsEndPoint server, string password, CancellationToken cancellationToken)
    {
        var settings = stack.MongoSettings(server);
        settings.Credential = MongoCredential.CreateCredential("admin", _name, password);
        using var client = new MongoClient(settings);
        try
        {
            await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), ReadPreference.Nearest, cancellationToken);
            return null;
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            return exception;
        }
    }

    private static string Sentence(Exception exception) => exception.Message.Split('\n')[0].Trim().TrimEnd('.') + ".";
}
