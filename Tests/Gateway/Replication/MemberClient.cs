using MongoDB.Bson;

namespace Platform.Tests.Gateway.Replication;

/// <summary>A logged-in connection to one member, with one logical session whose commands are numbered by the test.</summary>
internal sealed class MemberClient : IAsyncDisposable
{
    private static readonly BsonDocument s_leave = BsonDocument.Parse("{ $readPreference: { mode: 'secondaryPreferred' } }");

    private readonly WireClient _client;
    private readonly string _database;

    private MemberClient(WireClient client, string database) => (_client, _database) = (client, database);

    /// <summary>The session that <see cref="InSessionAsync"/> runs commands in.</summary>
    public BsonDocument Session { get; init; } = NewSession();

    /// <summary>A session's id.</summary>
    public static BsonDocument NewSession() => new("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard));

    /// <summary>Connects to a member.</summary>
    /// <param name="port">Its port.</param>
    /// <param name="database">Where commands are run that name no database.</param>
    /// <param name="session">The session; null for a new one.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<MemberClient> ConnectAsync(int port, string database, BsonDocument? session, CancellationToken cancellationToken)
    {
        var client = await WireClient.ConnectAsync(port, cancellationToken);
        try
        {
            await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, cancellationToken);
            return new MemberClient(client, database) { Session = session ?? NewSession() };
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command and returns the reply, which may be an error.</summary>
    public Task<BsonDocument> RunAsync(string command, CancellationToken cancellationToken, params IEnumerable<BsonElement> more)
    {
        var body = BsonDocument.Parse(command);
        foreach (var element in more)
        {
            body[element.Name] = element.Value;
        }

        if (!body.Contains("$db"))
        {
            body["$db"] = _database;
        }

        return _client.CommandAsync(body, cancellationToken);
    }

    /// <summary>Runs a command that a secondary may answer.</summary>
    public Task<BsonDocument> ReadAsync(string command, CancellationToken cancellationToken, params IEnumerable<BsonElement> more) =>
        RunAsync(command, cancellationToken, more.Concat(s_leave));

    /// <summary>Runs a command under a number of the session.</summary>
    public Task<BsonDocument> InSessionAsync(long number, string command, CancellationToken cancellationToken, params IEnumerable<BsonElement> more) =>
        RunAsync(command, cancellationToken, [new("lsid", Session), new("txnNumber", number), .. more]);

    /// <summary>Runs a command as a part of a transaction of the session.</summary>
    public Task<BsonDocument> InTransactionAsync(long number, bool starts, string command, CancellationToken cancellationToken)
    {
        BsonElement[] more = [new("autocommit", false), .. starts ? [new BsonElement("startTransaction", true)] : Array.Empty<BsonElement>()];
        return InSessionAsync(number, command, cancellationToken, more);
    }

    /// <summary>Sends a command without wanting an answer, and says whether the member ended the connection instead of answering the next one.</summary>
    public async Task<bool> EndsAfterUnansweredAsync(string command, CancellationToken cancellationToken)
    {
        var body = BsonDocument.Parse(command);
        body["$db"] = _database;
        await _client.SendAsync(WireClient.Message(body, 1_000_000, flags: 2), cancellationToken);
        await _client.SendAsync(WireClient.Message(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, 1_000_001), cancellationToken);
        return await _client.IsClosedAsync(cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
