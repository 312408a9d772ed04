using System.Diagnostics.CodeAnalysis;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Authentication;
using MongoDB.Driver.Core.Connections;

namespace Platform.Mongo.Connections;

/// <summary>
/// The login of one connection: the driver's own SCRAM-SHA-256, begun again with another password where the server refuses one. A refused conversation is over,
/// and a client may begin the next on the same connection.
/// </summary>
/// <remarks><see href="https://github.com/mongodb/specifications/blob/master/source/auth/auth.md"/></remarks>
/// <param name="context">The user, and the servers.</param>
/// <param name="passwords">The passwords.</param>
internal sealed class PasswordFileMechanism(SaslContext context, LoginPasswords passwords) : ISaslMechanism
{
    private const string Scram = "SCRAM-SHA-256";

    // What a server says to a wrong password.
    private const int AuthenticationFailed = 18;

    private readonly List<string> _tried = [];
    private ISaslMechanism? _current;

    /// <inheritdoc/>
    public string Name => Scram;

    /// <inheritdoc/>
    public string DatabaseName => Current.DatabaseName;

    private ISaslMechanism Current => _current ??= Of(passwords.Next(_tried)!);

    /// <inheritdoc/>
    public ISaslStep CreateSpeculativeAuthenticationStep() => Current.CreateSpeculativeAuthenticationStep();

    /// <inheritdoc/>
    public BsonDocument CustomizeSaslStartCommand(BsonDocument startCommand) => Current.CustomizeSaslStartCommand(startCommand);

    /// <inheritdoc/>
    public ISaslStep Initialize(SaslConversation conversation, ConnectionDescription description) => Current.Initialize(conversation, description);

    /// <inheritdoc/>
    public void OnReAuthenticationRequired()
    {
        _tried.Clear();
        _current = null;
    }

    /// <inheritdoc/>
    public bool TryHandleAuthenticationException(
        MongoException exception, ISaslStep step, SaslConversation conversation, ConnectionDescription description, [NotNullWhen(true)] out ISaslStep? nextStep)
    {
        nextStep = null;
        if (exception is not MongoCommandException { Code: AuthenticationFailed })
        {
            return false;
        }

        passwords.Refused(_tried[^1]);
        if (passwords.Next(_tried) is not { } next)
        {
            return false;
        }

        _current = Of(next);
        nextStep = _current.Initialize(conversation, description);
        return true;
    }

    private ISaslMechanism Of(string password)
    {
        _tried.Add(password);
        var scram = new SaslContext
        {
            Mechanism = Scram, EndPoint = context.EndPoint, ClusterEndPoints = context.ClusterEndPoints, Identity = context.Identity,
            IdentityEvidence = new PasswordEvidence(password), MechanismProperties = [],
        };
        return MongoClientSettings.Extensions.SaslMechanisms.TryCreate(scram, out var mechanism)
            ? mechanism : throw new InvalidOperationException($"The driver has no {Scram}.");
    }
}
