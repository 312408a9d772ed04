using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;
using Platform.Wire.Scram;

namespace Platform.Gateway.Authentication;

/// <summary>Runs <c>saslStart</c> and <c>saslContinue</c>.</summary>
internal sealed partial class Authenticator(
    BackendPool pool, LoginThrottle throttle, ClientRegistry clients, UserChanges changes, ILogger<Authenticator> logger)
{
    // No role can have this name: the backend is asked for it where it must not be asked for the one that was given, so that all
    // answers take the same way.
    private const string Nobody = "none";

    private volatile bool _hasUsers;
    private FakeCredentials? _fakes;

    /// <summary>Begins a login and returns the reply without <c>ok</c>.</summary>
    public async ValueTask<BsonDocument> StartAsync(Client client, RawDocument command, CancellationToken cancellationToken)
    {
        client.Login = null;
        var mechanism = command.TryGet("mechanism"u8, out var m) ? m.Text : null;
        if (mechanism != ScramClient.Mechanism)
        {
            throw new CommandException(
                ErrorCode.MechanismUnavailable,
                $"Received authentication for mechanism {Printable.Of(mechanism ?? "")} which is not enabled; {ScramClient.Mechanism} is.");
        }

        var skips = command.TryGet("options"u8, out var options) && options.Type == BsonType.Document
            && options.Document.TryGet("skipEmptyExchange"u8, out var skip) && skip.Truthy;
        var login = Begin(client, command, skips);
        var known = false;
        var salt = "";
        var iterations = 0;
        var may = MayLogIn(login.User);
        await using (var lease = await pool.RentAsync(null, BackendShare.Logins, cancellationToken))
        {
            var reply = await lease.Connection.Command(Statements.ScramSalt).With(0, may ? login.User : Nobody)
                .SingleAsync<byte[]>(cancellationToken);
            foreach (var field in new RawDocument(reply))
            {
                if (field.Is("ok"u8))
                {
                    known = field.Truthy && may;
                }
                else if (field.Is("iterations"u8))
                {
                    iterations = (int)(field.Integer ?? 0);
                }
                else if (field.Is("salt"u8))
                {
                    salt = field.Text ?? "";
                }
            }

            var fakes = _fakes ??= await FakesAsync(lease.Connection, cancellationToken);
            var fake = fakes.SaltOf(login.User);
            login.IsKnown = known;
            (salt, iterations) = known ? (salt, iterations) : (fake, fakes.Iterations);
        }

        var challenge = login.Scram.Challenge(salt, iterations);
        client.Login = login;
        return Step(challenge, done: false);
    }

    /// <summary>Goes on with a login and returns the reply without <c>ok</c>.</summary>
    public async ValueTask<BsonDocument> ContinueAsync(Client client, RawDocument command, CancellationToken cancellationToken)
    {
        var login = client.Login ?? throw new CommandException(
            ErrorCode.ProtocolError, "No SASL session state found");
        if (!command.TryGet("conversationId"u8, out var id) || id.Integer != 1)
        {
            throw new CommandException(ErrorCode.ProtocolError, "sasl: Mismatched conversation id");
        }

        if (login.IsProven)
        {
            client.Login = null;
            return Step("", done: true);
        }

        client.Login = null;
        var (message, proof) = Proof(client, login, command);
        if (throttle.Begin(login.User, client.Address) is { Ticks: > 0 } wait)
        {
            client.FailedLogins++;
            LogThrottled(Printable.Of(login.User), client.RemoteEndPoint, wait.TotalSeconds);
            throw Failed("throttled");
        }

        var judged = false;
        try
        {
            await using var lease = await pool.RentAsync(null, BackendShare.Logins, cancellationToken);
            var reply = await lease.Connection.Command(Statements.ScramProof)
                .With(0, login.IsKnown ? login.User : Nobody).With(1, login.IsKnown ? message : Nobody).With(2, proof).SingleAsync<byte[]>(cancellationToken);
            var answer = new RawDocument(reply);
            if (!login.IsKnown || !answer.TryGet("ok"u8, out var ok) || !ok.Truthy || !answer.TryGet("ServerSignature"u8, out var signature))
            {
                throw Failed();
            }

            var version = changes.Version;
            var (user, restrictions) = await FindAsync(lease.Connection, login.User, cancellationToken);
            if (user is null)
            {
                throw Failed();
            }

            if (!AuthenticationRestrictions.Allow(restrictions ?? (BsonValue)BsonNull.Value, client.Address))
            {
                LogForbiddenAddress(Printable.Of(login.User), client.RemoteEndPoint);
                throw Failed("address");
            }

            judged = true;
            throttle.Succeeded(login.User, client.Address);
            if (!clients.TryLogIn(client, user))
            {
                LogFull(Printable.Of(login.User), client.RemoteEndPoint);
                throw new CommandException(
                    ErrorCode.TemporarilyUnavailable, $"User '{login.User}' cannot log in: too many connections are logged in.");
            }

            while (changes.Version != version)
            {
                // What was read may be older than a change that did not see this connection yet.
                version = changes.Version;
                (client.User, _) = await FindAsync(lease.Connection, login.User, cancellationToken);
            }

            login.IsProven = true;
            client.Login = login.SkipsEmptyExchange ? null : login;
            LogLogin(Printable.Of(login.User), client.RemoteEndPoint);
            return Step("v=" + signature.Text, done: login.SkipsEmptyExchange);
        }
        catch (CommandException e) when (e.Code == ErrorCode.AuthenticationFailed)
        {
            judged = true;
            client.FailedLogins++;
            throttle.Failed(login.User, client.Address, login.IsKnown);
            LogFailedLogin(Printable.Of(login.User), client.RemoteEndPoint);
            throw;
        }
        finally
        {
            if (!judged)
            {
                throttle.Abandoned(login.User, client.Address);
            }
        }
    }

    /// <summary>
    /// The localhost exception: whether a client on this machine may make a user without a login, because there is none yet.
    /// </summary>
    public async ValueTask<bool> AllowsFirstUserAsync(Client client, string database, CancellationToken cancellationToken)
    {
        if (_hasUsers || database != "admin" || !System.Net.IPAddress.IsLoopback(client.Address))
        {
            return false;
        }

        await using var lease = await pool.RentAsync(null, BackendShare.Logins, cancellationToken);
        var command = new BsonDocument { { "usersInfo", 1 }, { "$db", "admin" } };
        var reply = new RawDocument(await lease.Connection.Command(Statements.UsersInfo)
            .With<ReadOnlyMemory<byte>>(0, command.ToBson()).SingleAsync<byte[]>(cancellationToken));
        // Once there was a user the exception is over for good.
        _hasUsers = reply.TryGet("users"u8, out var users) && users.Document.Count() > 0;
        return !_hasUsers;
    }

    private static async ValueTask<(User? User, BsonArray? Restrictions)> FindAsync(
        BackendConnection connection, string name, CancellationToken cancellationToken)
    {
        if (await StoredUser.FindAsync(connection, name, cancellationToken) is not { } user)
        {
            return (null, null);
        }

        var roles = user.Roles.Any(role => BuiltInRoles.Named(role) is null)
            ? await StoredUser.RolesAsync(connection, cancellationToken)
            : RoleGraph.BuiltIn;
        return (user.ToUser(roles), user.Restrictions);
    }

    /// <summary>Whether a name is one that the backend may be asked for; others it would cut, misread or know as its own.</summary>
    private static bool MayLogIn(string user) => Names.IsUser(user) && !Names.IsReserved(user);

    private static async ValueTask<FakeCredentials> FakesAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        await using var reader = await connection.Command(Statements.FakeSalts).ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? FakeCredentials.Like(reader.GetFieldValue<byte[]>(0), reader.GetString(1))
            : throw new InvalidOperationException("The backend has no secret for salts: platform_gateway.secrets is empty.");
    }

    private static Login Begin(Client client, RawDocument command, bool skips)
    {
        try
        {
            return new Login(ScramServer.Start(Payload(command)), skips);
        }
        catch (ScramException)
        {
            throw Malformed(client);
        }
    }

    private static (string Message, string Proof) Proof(Client client, Login login, RawDocument command)
    {
        try
        {
            return login.Scram.Proof(Payload(command));
        }
        catch (ScramException)
        {
            throw Malformed(client);
        }
    }

    /// <summary>A message of another form than SCRAM's counts as a failed login of the connection.</summary>
    private static CommandException Malformed(Client client)
    {
        client.FailedLogins++;
        return Failed();
    }

    /// <summary>The one error of every failed login: it must not tell why, but to the audit log.</summary>
    private static CommandException Failed(string? reason = null) => new(ErrorCode.AuthenticationFailed, "Authentication failed.") { Reason = reason };

    private static ReadOnlySpan<byte> Payload(RawDocument command) => !command.TryGet("payload"u8, out var payload) ? default
        : payload.Type switch
        {
            BsonType.Binary => payload.Value.Span[5..],
            BsonType.String => payload.StringBytes,
            _ => default,
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

    [LoggerMessage(LogLevel.Warning, "A login as {User} from {Remote} is refused: too many connections are logged in")]
    private partial void LogFull(string user, string remote);

    [LoggerMessage(LogLevel.Warning, "User {User} may not log in from {Remote}")]
    private partial void LogForbiddenAddress(string user, string remote);

    [LoggerMessage(LogLevel.Warning, "A login as {User} from {Remote} failed")]
    private partial void LogFailedLogin(string user, string remote);
}
