using Platform.Wire.Scram;

namespace Platform.Gateway.Clients;

/// <summary>A login that is under way.</summary>
/// <param name="scram">Its messages.</param>
/// <param name="skipsEmptyExchange">Whether the client takes the signature as the end, without an empty last exchange.</param>
internal sealed class Login(ScramServer scram, bool skipsEmptyExchange)
{
    /// <summary>Its messages.</summary>
    public ScramServer Scram => scram;

    /// <summary>Who wants to log in.</summary>
    public string User => scram.User;

    /// <summary>Whether the client takes the signature as the end, without an empty last exchange.</summary>
    public bool SkipsEmptyExchange => skipsEmptyExchange;

    /// <summary>Whether there is such a user.</summary>
    public bool IsKnown { get; set; }

    /// <summary>True when the proof was right and only the empty exchange is left.</summary>
    public bool IsProven { get; set; }
}
