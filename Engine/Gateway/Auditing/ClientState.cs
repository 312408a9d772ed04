using Platform.Gateway.Access;
using Platform.Gateway.Clients;

namespace Platform.Gateway.Auditing;

/// <summary>How a client was before a command, which may change that.</summary>
/// <param name="User">Who was logged in.</param>
/// <param name="Login">A login that was under way.</param>
/// <param name="IsProven">Whether only its last, empty exchange was left.</param>
internal readonly record struct ClientState(User? User, Login? Login, bool IsProven)
{
    /// <summary>How it is now.</summary>
    public static ClientState Of(Client client) => new(client.User, client.Login, client.Login?.IsProven == true);
}
