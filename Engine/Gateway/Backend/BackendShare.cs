using Platform.Gateway.Access;

namespace Platform.Gateway.Backend;

/// <summary>Whose connections to the backend are counted together.</summary>
/// <param name="User">The user's name; empty when they are nobody's.</param>
/// <param name="Use">What they are taken for.</param>
internal readonly record struct BackendShare(string User, BackendUse Use)
{
    /// <summary>The gateway itself.</summary>
    public static readonly BackendShare Gateway = new("", BackendUse.Gateway);

    /// <summary>All logins that are under way.</summary>
    public static readonly BackendShare Logins = new("", BackendUse.Login);

    /// <summary>The health check, which is to get what a user gets.</summary>
    public static readonly BackendShare Health = new("", BackendUse.Health);

    /// <summary>The commands and transactions of a user.</summary>
    public static BackendShare Of(User user) => new(user.Name, user.IsAdministrator ? BackendUse.Administrator : BackendUse.User);

    /// <summary>What the gateway does with its own rights for a user.</summary>
    public static BackendShare ErrandOf(string user) => new(user, BackendUse.Errand);
}
