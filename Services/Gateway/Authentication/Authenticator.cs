using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Bson;
using Platform.Gateway.Connections;
using Platform.Gateway.Engine;

namespace Platform.Gateway.Authentication;

/// <summary>Runs <c>saslStart</c> and <c>saslContinue</c>.</summary>
internal sealed partial class Authenticator(EnginePool pool, LoginThrottle throttle, ILogger<Authenticator> logger)
{
    /// <summary>The only mechanism.</summary>
    public const string Mechanism = "SCRAM-SHA-256";

    private const int FakeIterations = 4096;
    private volatile bool _hasUsers;
    private readonly byte[] _fakeSaltKey = RandomNumberGenerator.GetBytes(32);

    /// <summary>True for names of roles that belong to PostgreSQL or the engine and must never log in.</summary>
    public static bool IsReserved(string user) =>
        user is "postgres" or "none" or "public"
        || user.StartsWith("pg_", StringComparison.OrdinalIgnoreCase)
        || user.StartsWith("documentdb_", StringComparison.OrdinalIgnoreCase);

    /// <summary>Begins a login and returns the reply without <c>ok</c>.</summary>
    public async ValueTask<BsonDocument> StartAsync(ClientConnection client, RawDocument command, CancellationToken cancellationToken)
    {
        client.Login = null;
        var mechanism = command.TryGet("mechanism"u8, out var m) ? m.Text : null;
        if (mechanism != Mechanism)
        {
            throw new Errors.CommandException(
                Errors.ErrorCode.MechanismUnavailable, $"Received authentication for mechanism {mechanism} which is not enabled; {Mechanism} is.");
        }

        var skips = command.TryGet("options"u8, out var options) && options.Type == BsonType.Document
            && options.Document.TryGet("skipEmptyExchange"u8, out var skip) && skip.Truthy;
        var conversation = ScramConversation.Start(Payload(command), skips);
        if (throttle.Remaining(conversation.User, client.Address) is { Ticks: > 0 } wait)
        {
            LogThrottled(conversation.User, client.RemoteEndPoint, wait.TotalSeconds);
            throw ScramConversation.Failed();
        }

        var known = false;
        var salt = "";
        var iterations = FakeIterations;
        if (!IsReserved(conversation.User))
        {
            await using var lease = await pool.RentAsync(null, cancellationToken);
            var reply = await lease.Connection.Command(Statements.ScramSalt).With(0, conversation.User).SingleAsync<byte[]>(cancellationToken);
            foreach (var field in new RawDocument(reply))
            {
                if (field.Is("ok"u8))
                {
                    known = field.Truthy;
                }
                else if (field.Is("iterations"u8))
                {
                    iterations = (int)(field.Integer ?? FakeIterations);
                }
                else if (field.Is("salt"u8))
                {
                    salt = field.Text ?? "";
                }
            }
        }

        if (!known)
        {
            // An unknown name gets a salt that is always the same for it, so that names cannot be found out.
            salt = Convert.ToBase64String(HMACSHA256.HashData(_fakeSaltKey, Encoding.UTF8.GetBytes(conversation.User)).AsSpan(0, 16));
            iterations = FakeIterations;
        }

        var challenge = conversation.Challenge(salt, iterations);
        client.Login = conversation;
        return Step(challenge, done: false);
    }

    /// <summary>Goes on with a login and returns the reply without <c>ok</c>.</summary>
    public async ValueTask<BsonDocument> ContinueAsync(ClientConnection client, RawDocument command, CancellationToken cancellationToken)
    {
        var conversation = client.Login ?? throw new Errors.CommandException(
            Errors.ErrorCode.ProtocolError, "No SASL session state found");
        if (!command.TryGet("conversationId"u8, out var id) || id.Integer != 1)
        {
            throw new Errors.CommandException(Errors.ErrorCode.ProtocolError, "sasl: Mismatched conversation id");
        }

        if (conversation.Proven)
        {
            client.Login = null;
            return Step("", done: true);
        }

        client.Login = null;
        try
        {
            var (message, proof) = conversation.Proof(Payload(command));
            if (IsReserved(conversation.User))
            {
                throw ScramConversation.Failed();
            }

            await using var lease = await pool.RentAsync(null, cancellationToken);
            var reply = await lease.Connection.Command(Statements.ScramProof)
                .With(0, conversation.User).With(1, message).With(2, proof).SingleAsync<byte[]>(cancellationToken);
            var answer = new RawDocument(reply);
            if (!answer.TryGet("ok"u8, out var ok) || !ok.Truthy || !answer.TryGet("ServerSignature"u8, out var signature))
            {
                throw ScramConversation.Failed();
            }

            var options = await lease.Connection.Command(Statements.UserOptions).With(0, conversation.User).SingleAsync<byte[]>(cancellationToken);
            if (options is not null && !AuthenticationRestrictions.Allow(
                new RawDocument(options).ToTree().GetValue("authenticationRestrictions", BsonNull.Value), client.Address))
            {
                LogForbiddenAddress(conversation.User, client.RemoteEndPoint);
                throw ScramConversation.Failed();
            }

            var administrator = await lease.Connection.Command(Statements.IsAdministrator).With(0, conversation.User)
                .SingleAsync<bool>(cancellationToken);
            throttle.Succeeded(conversation.User, client.Address);
            client.User = new User(conversation.User, administrator);
            conversation.Proven = true;
            client.Login = conversation.SkipsEmptyExchange ? null : conversation;
            LogLogin(conversation.User, client.RemoteEndPoint);
            return Step("v=" + signature.Text, done: conversation.SkipsEmptyExchange);
        }
        catch (Errors.CommandException e) when (e.Code == Errors.ErrorCode.AuthenticationFailed)
        {
            throttle.Failed(conversation.User, client.Address);
            LogFailedLogin(conversation.User, client.RemoteEndPoint);
            throw;
        }
    }

    /// <summary>
    /// The localhost exception: whether a client on this machine may make a user without a login, because there is none yet.
    /// </summary>
    public async ValueTask<bool> AllowsFirstUserAsync(ClientConnection client, string database, CancellationToken cancellationToken)
    {
        if (_hasUsers || database != "admin" || !System.Net.IPAddress.IsLoopback(client.Address))
        {
            return false;
        }

        await using var lease = await pool.RentAsync(null, cancellationToken);
        var command = new BsonDocument { { "usersInfo", 1 }, { "$db", "admin" } };
        var reply = new RawDocument(await lease.Connection.Command(Statements.UsersInfo)
            .With<ReadOnlyMemory<byte>>(0, command.ToBson()).SingleAsync<byte[]>(cancellationToken));
        // Once there was a user the exception is over for good.
        _hasUsers = reply.TryGet("users"u8, out var users) && users.Document.Count() > 0;
        return !_hasUsers;
    }

    private static ReadOnlySpan<byte> Payload(RawDocument command) =>
        !command.TryGet("payload"u8, out var payload) ? throw ScramConversation.Failed()
        : payload.Type switch
        {
            BsonType.Binary => payload.Value.Span[5..],
            BsonType.String => payload.StringBytes,
            _ => throw ScramConversation.Failed(),
        };

    private static BsonDocument Step(string payload, bool done) => new()
    {
        { "conversationId", 1 },
        { "done", done },
        { "payload", new BsonBinaryData(Encoding.UTF8.GetBytes(payload)) },
    };

    [LoggerMessage(LogLevel.Debug, "User {User} logged in from {Remote}")]
    private partial void LogLogin(string user, string remote);

    [LoggerMessage(LogLevel.Warning, "A login as {User} from {Remote} is refused for {Seconds:0.0} s more, after failed ones")]
    private partial void LogThrottled(string user, string remote, double seconds);

    [LoggerMessage(LogLevel.Warning, "User {User} may not log in from {Remote}")]
    private partial void LogForbiddenAddress(string user, string remote);

    [LoggerMessage(LogLevel.Warning, "A login as {User} from {Remote} failed")]
    private partial void LogFailedLogin(string user, string remote);
}
