using System.Text.Json.Nodes;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Commands;

/// <summary>What the audit log has of a command, as MongoDB's audit messages name it.</summary>
/// <param name="Type">The kind of event: <c>atype</c>.</param>
/// <param name="Particulars">The fields of the particulars, in words.</param>
/// <param name="Describe">The particulars of each event that the command makes: names, never passwords and never data. None: this one is not recorded.</param>
internal sealed record CommandAudit(string Type, string Particulars, Func<Request, IEnumerable<JsonObject>> Describe)
{
    /// <summary>What logs a client in.</summary>
    public const string Authenticate = "authenticate";

    /// <summary>What logs it out.</summary>
    public const string Logout = "logout";

    /// <summary>A command that its user may not send, or, where that is asked for, one that the user may.</summary>
    public const string AuthorizationCheck = "authCheck";

    /// <summary>
    /// Whether the command is answered only when its record is on the disk, as it changes what lasts; others only when it is written.
    /// </summary>
    public bool Lasts => Type is not (Authenticate or Logout);

    /// <summary>Whether the command is refused while the log cannot be written.</summary>
    public bool IsNeeded => Type != Logout;
}
