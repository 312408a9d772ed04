using System.Net;
using System.Text.Json.Nodes;

namespace Platform.Audit;

/// <summary>
/// What happened, in the terms of MongoDB's audit messages (https://www.mongodb.com/docs/manual/reference/audit-message/mongo/).
/// </summary>
/// <param name="Type">What kind of event: <c>atype</c>.</param>
/// <param name="At">When: <c>ts</c>.</param>
public sealed record AuditEvent(string Type, DateTimeOffset At)
{
    /// <summary>The client's connection; null for what no client did.</summary>
    public Guid? Connection { get; init; }

    /// <summary>The server's end of the connection; null for what no client did.</summary>
    public IPEndPoint? Local { get; init; }

    /// <summary>The client's end of the connection; null for what no client did.</summary>
    public IPEndPoint? Remote { get; init; }

    /// <summary>Who is logged in.</summary>
    public IReadOnlyList<(string User, string Database)> Users { get; init; } = [];

    /// <summary>The roles that they were given.</summary>
    public IReadOnlyList<(string Role, string Database)> Roles { get; init; } = [];

    /// <summary>The particulars, without passwords and without data.</summary>
    public JsonObject Param { get; init; } = [];

    /// <summary>The error code, 0 for success.</summary>
    public int Result { get; init; }
}
