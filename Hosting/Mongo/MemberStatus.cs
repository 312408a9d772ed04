using System.Globalization;
using MongoDB.Bson;

namespace Platform.Hosting.Mongo;

/// <summary>How a member of a replica set is, as the member that was asked sees it.</summary>
/// <param name="Host">Its host and port, as the configuration of the set has them.</param>
/// <param name="State">For example <c>PRIMARY</c>, <c>SECONDARY</c> or <c>(not reachable/healthy)</c>.</param>
/// <param name="Lag">
/// How far it is behind the primary; null for the primary, and when one of the two does not answer.
/// </param>
internal sealed record MemberStatus(string Host, string State, TimeSpan? Lag)
{
    private const string Primary = "PRIMARY";

    /// <summary>Whether it is the primary.</summary>
    public bool IsPrimary => State == Primary;

    /// <summary>For example <c>primary</c>; <c>none</c> for a member that has no part in the set at the moment.</summary>
    public string Role => State is Primary or "SECONDARY" or "ARBITER" ? State.ToLowerInvariant() : "none";

    /// <summary>For example <c>0.4 s</c>; empty when it is not known.</summary>
    public string LagText
        => Lag is { } lag ? string.Create(CultureInfo.InvariantCulture, $"{lag.TotalSeconds:0.#} s") : "";

    /// <summary>Reads what <c>replSetGetStatus</c> answered.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/"/></remarks>
    public static IReadOnlyList<MemberStatus> Of(BsonDocument status)
    {
        var members = status["members"].AsBsonArray.Select(member => member.AsBsonDocument).ToList();
        var primary = members.Find(member => StateOf(member) == Primary) is { } document ? TimeOf(document) : null;
        return
        [
            .. members.Select(member => new MemberStatus(
                member["name"].AsString,
                StateOf(member),
                StateOf(member) == "SECONDARY" && primary - TimeOf(member) is { } lag
                    ? lag > TimeSpan.Zero ? lag : TimeSpan.Zero
                    : null)),
        ];
    }

    private static string StateOf(BsonDocument member) => member["stateStr"].AsString;

    // A member that was never heard of has the beginning of time.
    private static DateTime? TimeOf(BsonDocument member)
        => member.TryGetValue("optimeDate", out var time) && time.ToUniversalTime() is var date && date > DateTime.UnixEpoch
            ? date
            : null;
}
