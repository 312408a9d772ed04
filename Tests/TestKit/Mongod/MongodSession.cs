using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;
using Platform.Wire.Scram;

namespace Platform.Tests.TestKit.Mongod;

/// <summary>A connection to a <see cref="ScriptedMongod"/>: who is logged in on it, and what its commands are answered.</summary>
internal sealed class MongodSession(string set, string me, MemberFiles files)
{
    private const int Iterations = 4096;

    private ScramServer? _login;
    private bool _isLoggedIn;

    /// <summary>Answers a command as mongod would.</summary>
    public BsonDocument Answer(BsonDocument command)
    {
        var name = command.GetElement(0).Name;
        try
        {
            // Anybody may ask who the server is and log in, and as long as there is no user, make the set and the first one.
            var isOpen = name is "hello" or "isMaster" or "ismaster" or "buildInfo" or "buildinfo" or "ping" or "saslStart" or "saslContinue"
                or "endSessions" || (files.Users is null && name is "replSetInitiate" or "createUser");
            var reply = isOpen || _isLoggedIn ? Run(name, command)
                : throw new MongodException(13, "Unauthorized", $"Command {name} requires authentication");
            return reply.Add("ok", 1.0);
        }
        catch (MongodException exception)
        {
            return new BsonDocument { { "ok", 0.0 }, { "errmsg", exception.Message }, { "code", exception.Code }, { "codeName", exception.CodeName } };
        }
    }

    private BsonDocument Run(string name, BsonDocument command) => name switch
    {
        "hello" or "isMaster" or "ismaster" => Hello(name, command),
        "ping" or "endSessions" => [],
        "buildInfo" or "buildinfo" => new BsonDocument { { "version", "8.0.28" }, { "versionArray", new BsonArray { 8, 0, 28, 0 } } },
        "serverStatus" => new BsonDocument { { "pid", Environment.ProcessId }, { "host", me } },
        "saslStart" => StartLogin(command),
        "saslContinue" => EndLogin(command),
        "createUser" => CreateUser(command),
        "replSetInitiate" => Initiate(command["replSetInitiate"].AsBsonDocument),
        "replSetGetConfig" => new BsonDocument("config", files.Config ?? throw NotInitiated()),
        "replSetReconfig" => Reconfigure(command["replSetReconfig"].AsBsonDocument),
        "replSetGetStatus" => Status(),
        _ => throw new MongodException(59, "CommandNotFound", $"no such command: '{name}'"),
    };

    // https://www.mongodb.com/docs/manual/reference/command/hello/
    private BsonDocument Hello(string name, BsonDocument command)
    {
        var reply = new BsonDocument();
        if (command.Contains("saslSupportedMechs"))
        {
            reply.Add("saslSupportedMechs", new BsonArray { ScramClient.Mechanism });
        }

        if (files.Config is { } config && MemberFiles.HostsOf(config) is var hosts && hosts.Contains(me))
        {
            var primary = files.Primary();
            reply.Add(name == "hello" ? "isWritablePrimary" : "ismaster", primary == me)
                .Add("secondary", primary != me)
                .Add("setName", set)
                .Add("setVersion", config["version"])
                .Add("hosts", new BsonArray(hosts))
                .Add("me", me);
            if (primary is not null)
            {
                reply.Add("primary", primary);
            }

            if (primary == me)
            {
                reply.Add("electionId", new ObjectId(config["version"].ToInt32().ToString("x24", System.Globalization.CultureInfo.InvariantCulture)));
            }
        }
        else
        {
            reply.Add(name == "hello" ? "isWritablePrimary" : "ismaster", false).Add("secondary", false).Add("isreplicaset", true);
        }

        return reply
            .Add("helloOk", true)
            .Add("maxBsonObjectSize", 16 * 1024 * 1024)
            .Add("maxMessageSizeBytes", 48_000_000)
            .Add("maxWriteBatchSize", 100_000)
            .Add("logicalSessionTimeoutMinutes", 30)
            .Add("localTime", DateTime.UtcNow)
            .Add("minWireVersion", 0)
            .Add("maxWireVersion", 25);
    }

    private BsonDocument Initiate(BsonDocument config)
    {
        if (files.Config is not null)
        {
            throw new MongodException(23, "AlreadyInitialized", "already initialized");
        }

        if (!MemberFiles.HostsOf(config).All(files.Runs))
        {
            throw new MongodException(74, "NodeNotFound", "replSetInitiate quorum check failed because not all proposed set members responded affirmatively");
        }

        MemberFiles.Configure(files, config.Merge(new BsonDocument { { "version", 1 }, { "term", 1 } }, overwriteExistingElements: true));
        return [];
    }

    private BsonDocument Reconfigure(BsonDocument config)
    {
        MemberFiles.Configure(files, config);
        return [];
    }

    // https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/
    private BsonDocument Status()
    {
        var config = files.Config ?? throw NotInitiated();
        var primary = files.Primary();
        var now = DateTime.UtcNow;
        return new BsonDocument
        {
            { "set", set },
            {
                "members", new BsonArray(MemberFiles.HostsOf(config).Select(host => new BsonDocument
                {
                    { "name", host },
                    { "stateStr", host == primary ? "PRIMARY" : files.Runs(host) ? "SECONDARY" : "(not reachable/healthy)" },
                    { "optimeDate", now },
                }))
            },
        };
    }

    private BsonDocument CreateUser(BsonDocument command)
    {
        if (files.Primary() != me)
        {
            throw new MongodException(10107, "NotWritablePrimary", "not primary");
        }

        // What RFC 5802 lets a server keep of a password.
        var salt = RandomNumberGenerator.GetBytes(16);
        var salted = Rfc2898DeriveBytes.Pbkdf2(command["pwd"].AsString, salt, Iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var users = files.Users ?? [];
        users[command["createUser"].AsString] = new BsonDocument
        {
            { "salt", Convert.ToBase64String(salt) },
            { "storedKey", Convert.ToBase64String(SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8))) },
            { "serverKey", Convert.ToBase64String(HMACSHA256.HashData(salted, "Server Key"u8)) },
        };
        files.Keep(users);
        return [];
    }

    private BsonDocument StartLogin(BsonDocument command)
    {
        try
        {
            _login = ScramServer.Start(command["payload"].AsByteArray);
        }
        catch (ScramException)
        {
            throw Refused();
        }

        // One who is not there gets a challenge, too, as mongod does.
        var salt = UserOf(_login)?["salt"].AsString ?? Convert.ToBase64String(new byte[16]);
        return Step(Encoding.UTF8.GetBytes(_login.Challenge(salt, Iterations)), done: false);
    }

    private BsonDocument EndLogin(BsonDocument command)
    {
        if (_isLoggedIn)
        {
            return Step([], done: true); // the empty exchange at the end
        }

        try
        {
            var (message, proof) = (_login ?? throw Refused()).Proof(command["payload"].AsByteArray);
            var user = UserOf(_login) ?? throw Refused();
            var storedKey = Convert.FromBase64String(user["storedKey"].AsString);
            var signature = HMACSHA256.HashData(storedKey, Encoding.UTF8.GetBytes(message));
            var clientKey = Convert.FromBase64String(proof);
            for (var i = 0; i < clientKey.Length; i++)
            {
                clientKey[i] ^= signature[i];
            }

            if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(clientKey), storedKey))
            {
                throw Refused();
            }

            _isLoggedIn = true;
            var verifier = HMACSHA256.HashData(Convert.FromBase64String(user["serverKey"].AsString), Encoding.UTF8.GetBytes(message));
            return Step(Encoding.UTF8.GetBytes($"v={Convert.ToBase64String(verifier)}"), done: true);
        }
        catch (ScramException)
        {
            throw Refused();
        }
    }

    private BsonDocument? UserOf(ScramServer login)
        => files.Users is { } users && users.TryGetValue(login.User, out var user) ? user.AsBsonDocument : null;

    private static BsonDocument Step(byte[] payload, bool done)
        => new() { { "conversationId", 1 }, { "done", done }, { "payload", new BsonBinaryData(payload) } };

    private static MongodException Refused() => new(18, "AuthenticationFailed", "Authentication failed.");

    private static MongodException NotInitiated() => new(94, "NotYetInitialized", "no replset config has been received");

    private sealed class MongodException(int code, string codeName, string message) : Exception(message)
    {
        public int Code => code;

        public string CodeName => codeName;
    }
}
