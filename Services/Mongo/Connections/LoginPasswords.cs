namespace Platform.Mongo.Connections;

/// <summary>The passwords of a client's user, and which of them the server has refused last.</summary>
/// <param name="file">Where they are.</param>
internal sealed class LoginPasswords(PasswordFile file)
{
    private volatile string? _refused;

    /// <summary>The next one to try, of those that are in the file now; null when all of them were tried.</summary>
    /// <param name="tried">Those that were tried for the connection.</param>
    public string? Next(IReadOnlyCollection<string> tried) =>
        file.Read().Where(password => !tried.Contains(password)).OrderBy(password => password == _refused).FirstOrDefault();

    /// <summary>Has other passwords tried first: for a server each refusal is a failed login, which it counts and writes down.</summary>
    public void Refused(string password) => _refused = password;
}
