using MongoDB.Driver;

namespace Platform.Mongo.Connections;

/// <summary>Logins with passwords that are replaced while clients run.</summary>
public static class MongoLogin
{
    private const string Mechanism = "PLATFORM-PASSWORD-FILE";
    private const string Property = "PASSWORDS";

    static MongoLogin() => MongoClientSettings.Extensions.SaslMechanisms.Register(
        Mechanism,
        context => new PasswordFileMechanism(
            context, (LoginPasswords)context.MechanismProperties.Single(property => property.Key == Property).Value));

    /// <summary>
    /// Has a client log in by SCRAM-SHA-256 with the passwords of a file in place of the one that its connection string has. The file is read for each new
    /// connection, and once more when the server refuses a password; then the others of the file are tried on the same connection.
    /// </summary>
    /// <param name="settings">The client's settings, which name the user.</param>
    /// <param name="passwordFile">The file; null or empty: the connection string's password stays.</param>
    /// <exception cref="InvalidDataException">No user is named, or the file cannot be read: a sentence.</exception>
    public static void LogInBy(this MongoClientSettings settings, string? passwordFile)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (passwordFile is not { Length: > 0 })
        {
            return;
        }

        var file = new PasswordFile(passwordFile);
        var user = settings.Credential
            ?? throw new InvalidDataException($"The password file {file.Path} is for a user, and the connection string names none.");
        settings.Credential = new MongoCredential(Mechanism, user.Identity, new PasswordEvidence(file.Read()[0]))
            .WithMechanismProperty(Property, new LoginPasswords(file));
    }
}
