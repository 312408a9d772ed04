using Platform.Gateway.Authentication;

namespace Platform.Gateway.Engine;

/// <summary>Whose connections to the engine are counted together.</summary>
/// <param name="User">The user's name; empty when they are nobody's.</param>
/// <param name="Use">What they are taken for.</param>
internal readonly record struct EngineShare(string User, EngineUse Use)
{
    /// <summary>The gateway itself.</summary>
    public static readonly EngineShare Gateway = new("", EngineUse.Gateway);

    /// <summary>All logins that are under way.</summary>
    public static readonly EngineShare Logins = new("", EngineUse.Login);

    /// <summary>The health check, which is to get what a user gets.</summary>
    public static readonly EngineShare Health = new("", EngineUse.Health);

    /// <summary>The commands and transactions of a user.</summary>
    public static EngineShare Of(User user) => new(user.Name, user.IsAdministrator ? EngineUse.Administrator : EngineUse.User);

    /// <summary>What the gateway does with its own rights for a user.</summary>
    public static EngineShare ErrandOf(string user) => new(user, EngineUse.Errand);
}
