using System.Text.Json.Nodes;
using Platform.Monitoring;

namespace Platform.Monitor.Alerting;

/// <summary>An alert that fires.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Severity">How bad it is; empty: not said.</param>
/// <param name="Since">Since when.</param>
/// <param name="State"><c>active</c>: people are told; <c>suppressed</c>: it is silenced, or another one keeps it from being told.</param>
/// <param name="SilencedBy">The ids of the silences that keep it from being told.</param>
/// <param name="Labels">Its other labels.</param>
/// <param name="Summary">What is the matter.</param>
internal sealed record FiringAlert(
    string Name, string Severity, DateTimeOffset Since, string State, IReadOnlyList<string> SilencedBy, IReadOnlyDictionary<string, string> Labels,
    string Summary)
{
    /// <summary>Whether it is no trouble of the platform.</summary>
    public bool IsOwn => AlertNames.Own.Contains(Name);

    /// <summary>Whether people are told of it, or will be in a moment.</summary>
    public bool IsTold => State != "suppressed";

    /// <summary>Reads one of <c>GET /api/v2/alerts</c>.</summary>
    public static FiringAlert Read(JsonNode alert)
    {
        var labels = alert["labels"]!.AsObject().ToDictionary(label => label.Key, label => label.Value!.GetValue<string>(), StringComparer.Ordinal);
        labels.Remove(AlertNames.Label, out var name);
        labels.Remove("severity", out var severity);
        return new FiringAlert(
            name ?? "",
            severity ?? "",
            alert["startsAt"]!.GetValue<DateTimeOffset>(),
            alert["status"]!["state"]!.GetValue<string>(),
            [.. alert["status"]!["silencedBy"]!.AsArray().Select(id => id!.GetValue<string>())],
            labels,
            alert["annotations"]?["summary"]?.GetValue<string>() ?? "");
    }
}
