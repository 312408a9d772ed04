using System.Text.Json.Nodes;

namespace Platform.Monitor.Alerting;

/// <summary>Alerts that nobody is told of.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Matchers">Which alerts: all of these have to fit.</param>
/// <param name="State"><c>active</c>, <c>pending</c> or <c>expired</c>.</param>
/// <param name="Until">Until when.</param>
/// <param name="Author">Who said so.</param>
/// <param name="Comment">Why.</param>
internal sealed record AlertSilence(
    string Id, IReadOnlyList<AlertMatcher> Matchers, string State, DateTimeOffset Until, string Author, string Comment)
{
    /// <summary>Reads one of <c>GET /api/v2/silences</c>.</summary>
    public static AlertSilence Read(JsonNode silence) => new(
        silence["id"]!.GetValue<string>(),
        [.. silence["matchers"]!.AsArray().Select(matcher => AlertMatcher.Read(matcher!))],
        silence["status"]!["state"]!.GetValue<string>(),
        silence["endsAt"]!.GetValue<DateTimeOffset>(),
        silence["createdBy"]!.GetValue<string>(),
        silence["comment"]!.GetValue<string>());
}
