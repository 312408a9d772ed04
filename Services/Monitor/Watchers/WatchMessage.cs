using System.Text.Json.Nodes;
using Platform.Monitoring;

namespace Platform.Monitor.Watchers;

/// <summary>What the monitor tells people by itself.</summary>
/// <param name="Subject">One line.</param>
/// <param name="Text">Some lines.</param>
/// <param name="Change">What it is about.</param>
internal sealed record WatchMessage(string Subject, string Text, WatchChange Change)
{
    private const string Moment = "yyyy-MM-dd HH:mm:ss";

    /// <summary>The message of a change.</summary>
    /// <param name="change">The change.</param>
    /// <param name="firing">The names of what fires now; null: not known.</param>
    public static WatchMessage Of(WatchChange change, IReadOnlyCollection<string>? firing = null)
    {
        var (since, reason) = (change.Silence.Since.UtcDateTime, change.Silence.Reason);
        if (change.Ended is not { } ended)
        {
            return new WatchMessage(
                "Monitoring is silent",
                $"""
                Monitoring is silent since {since.ToString(Moment, null)} UTC: {reason}.
                Until it works again, nobody is told of trouble. A message of these minutes that an alert is resolved is no all-clear: nobody looked.
                What to do: ./platform logs prometheus, ./platform logs alertmanager, and docs/monitoring.md.
                """,
                change);
        }

        var now = firing is null ? "Which alerts fire is not known: ./platform alerts list shows them."
            : firing.Count == 0 ? "No alert fires now."
            : $"These alerts fire now: {string.Join(", ", firing)}.";
        return new WatchMessage(
            "Monitoring works again",
            $"""
            Monitoring works again. It was silent from {since.ToString(Moment, null)} to {ended.UtcDateTime.ToString(Moment, null)} UTC: {reason}.
            {now} What was told before, and is not among them, ended meanwhile.
            """,
            change);
    }

    /// <summary>The message as Alertmanager would post it: <see href="https://prometheus.io/docs/alerting/latest/configuration/#webhook_config"/>.</summary>
    public JsonObject Webhook()
    {
        var status = Change.Ended is null ? "firing" : "resolved";
        JsonObject labels() => new() { [AlertNames.Label] = AlertNames.Silent, ["severity"] = "critical" };
        JsonObject annotations() => new() { ["summary"] = Subject, ["description"] = Text };
        return new()
        {
            ["version"] = "4",
            ["groupKey"] = $"{{}}:{{{AlertNames.Label}=\"{AlertNames.Silent}\"}}",
            ["truncatedAlerts"] = 0,
            ["status"] = status,
            ["receiver"] = AlertNames.People,
            ["groupLabels"] = new JsonObject { [AlertNames.Label] = AlertNames.Silent },
            ["commonLabels"] = labels(),
            ["commonAnnotations"] = annotations(),
            ["externalURL"] = "",
            ["alerts"] = new JsonArray(new JsonObject
            {
                ["status"] = status,
                ["labels"] = labels(),
                ["annotations"] = annotations(),
                ["startsAt"] = Change.Silence.Since.ToString("O"),
                ["endsAt"] = (Change.Ended ?? DateTimeOffset.MinValue).ToString("O"),
                ["generatorURL"] = "",
                ["fingerprint"] = "",
            }),
        };
    }

    /// <summary>The message as Teams takes it: a card.</summary>
    /// <remarks><see href="https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using"/></remarks>
    public JsonObject Teams() => new()
    {
        ["type"] = "message",
        ["attachments"] = new JsonArray(new JsonObject
        {
            ["contentType"] = "application/vnd.microsoft.card.adaptive",
            ["content"] = new JsonObject
            {
                ["$schema"] = "http://adaptivecards.io/schemas/adaptive-card.json",
                ["type"] = "AdaptiveCard",
                ["version"] = "1.4",
                ["body"] = new JsonArray(
                    new JsonObject { ["type"] = "TextBlock", ["text"] = Subject, ["weight"] = "Bolder", ["size"] = "Medium", ["wrap"] = true },
                    new JsonObject { ["type"] = "TextBlock", ["text"] = Text, ["wrap"] = true }),
            },
        }),
    };

    /// <summary>The message as Slack takes it: <see href="https://api.slack.com/messaging/webhooks"/>.</summary>
    public JsonObject Slack() => new() { ["text"] = $"*{Subject}*\n{Text}" };
}
