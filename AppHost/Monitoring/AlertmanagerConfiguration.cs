using System.Text.Json.Nodes;
using Platform.AppHost.Settings;
using Platform.Monitoring;

namespace Platform.AppHost.Monitoring;

/// <summary>The configuration of Alertmanager: who is told what, how often, and what keeps what from being told. JSON, which is YAML.</summary>
/// <remarks><see href="https://prometheus.io/docs/alerting/latest/configuration/"/></remarks>
internal static class AlertmanagerConfiguration
{
    /// <summary>The file with the configuration.</summary>
    public const string File = "alertmanager.yml";

    /// <summary>The file with what the heartbeat shows the monitor.</summary>
    public const string HeartbeatKeyFile = "heartbeat.key";

    /// <summary>Where the file with the password of the mail server's user is mounted, and those with the URLs of webhooks.</summary>
    public static string SecretOf(string channel) => $"/run/{channel}.secret";

    /// <summary>The configuration.</summary>
    /// <param name="times">The times.</param>
    /// <param name="channels">How people are told; where there are none, alerts are only listed.</param>
    /// <param name="heartbeat">The URL to which the heartbeat goes.</param>
    public static JsonObject Create(MonitoringTimes times, ChannelSettings channels, string heartbeat)
    {
        var configuration = new JsonObject
        {
            ["route"] = new JsonObject
            {
                ["receiver"] = AlertNames.People,
                ["group_by"] = new JsonArray(AlertNames.Label),
                ["group_wait"] = MonitoringTimes.Text(times.GroupWait),
                ["group_interval"] = MonitoringTimes.Text(times.GroupInterval),
                ["repeat_interval"] = MonitoringTimes.Text(times.RepeatInterval),
                ["routes"] = new JsonArray(
                [
                    new JsonObject
                    {
                        ["matchers"] = new JsonArray(Is(AlertNames.Label, AlertNames.Watchdog)),
                        ["receiver"] = AlertNames.Heartbeat,
                        ["group_wait"] = "0s",
                        ["group_interval"] = MonitoringTimes.Text(times.Interval),
                        ["repeat_interval"] = MonitoringTimes.Text(times.Interval),
                    },
                    // The monitor tells of it by itself: here it only keeps others from being told.
                    new JsonObject { ["matchers"] = new JsonArray(Is(AlertNames.Label, AlertNames.Silent)), ["receiver"] = AlertNames.Nobody },
                    .. channels.Channels.Select(channel => new JsonObject
                    {
                        ["matchers"] = new JsonArray(Is(AlertNames.Label, AlertNames.Test), Is(AlertNames.ChannelLabel, channel)),
                        ["receiver"] = AlertNames.TestReceiver(channel),
                        // Each test is told by itself, at once, and once.
                        ["group_by"] = new JsonArray(AlertNames.TestLabel),
                        ["group_wait"] = "0s",
                    }),
                ]),
            },
            ["inhibit_rules"] = new JsonArray(
                // An alert that ends because nobody evaluates it any more is not resolved.
                Inhibit(AlertNames.Silent, $"{AlertNames.Label}!~\"{string.Join('|', AlertNames.Own)}\""),
                Inhibit("MongoNoPrimary", $"{AlertNames.Label}=~\"Mongo(Member|Replication|Elections).*\"")),
            ["receivers"] = new JsonArray(
            [
                Receiver(AlertNames.People, channels, channels.Channels, resolved: true),
                new JsonObject { ["name"] = AlertNames.Nobody },
                new JsonObject
                {
                    ["name"] = AlertNames.Heartbeat,
                    ["webhook_configs"] = new JsonArray(new JsonObject
                    {
                        ["url"] = heartbeat,
                        ["send_resolved"] = false,
                        ["http_config"] = new JsonObject
                        {
                            ["authorization"] = new JsonObject { ["credentials_file"] = HeartbeatKeyFile },
                        },
                    }),
                },
                .. channels.Channels.Select(channel => Receiver(AlertNames.TestReceiver(channel), channels, [channel], resolved: false)),
            ]),
        };
        if (channels.Mail.IsSet)
        {
            configuration["global"] = Smtp(channels.Mail);
        }

        return configuration;
    }

    private static JsonObject Smtp(MailSettings mail)
    {
        var global = new JsonObject
        {
            ["smtp_smarthost"] = mail.Server, ["smtp_from"] = mail.From, ["smtp_require_tls"] = mail.RequireTls,
        };
        if (mail.User.Length > 0)
        {
            global["smtp_auth_username"] = mail.User;
            global["smtp_auth_password_file"] = SecretOf("mail");
        }

        return global;
    }

    private static JsonObject Receiver(string name, ChannelSettings settings, IEnumerable<string> channels, bool resolved)
    {
        var receiver = new JsonObject { ["name"] = name };
        foreach (var channel in channels)
        {
            var (key, configuration) = channel switch
            {
                "mail" => ("email_configs", new JsonObject { ["to"] = settings.Mail.To }),
                "webhook" => ("webhook_configs", Url(settings.Webhook, channel, "url", "url_file")),
                "slack" => ("slack_configs", Url(settings.Slack, channel, "api_url", "api_url_file")),
                "teams" => ("msteamsv2_configs", Url(settings.Teams, channel, "webhook_url", "webhook_url_file")),
                _ => throw new ArgumentException($"There is no channel {channel}.", nameof(channels)),
            };
            configuration["send_resolved"] = resolved;
            receiver[key] = new JsonArray(configuration);
        }

        return receiver;
    }

    private static JsonObject Url(WebhookSettings hook, string channel, string key, string fileKey) =>
        hook.UrlFile.Length > 0 ? new() { [fileKey] = SecretOf(channel) } : new() { [key] = hook.Url };

    private static JsonObject Inhibit(string source, string target) => new()
    {
        ["source_matchers"] = new JsonArray(Is(AlertNames.Label, source)), ["target_matchers"] = new JsonArray(target),
    };

    private static string Is(string label, string value) => $"{label}=\"{value}\"";
}
