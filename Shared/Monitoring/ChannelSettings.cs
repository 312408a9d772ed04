namespace Platform.Monitoring;

/// <summary>
/// By which channels people are told: of the section <c>Monitor</c>. The graph writes them into Alertmanager's configuration, and the monitor uses the same
/// when Alertmanager cannot.
/// </summary>
public class ChannelSettings
{
    /// <summary>Mail.</summary>
    public MailSettings Mail { get; set; } = new();

    /// <summary>A webhook that gets what Alertmanager posts: <see href="https://prometheus.io/docs/alerting/latest/configuration/#webhook_config"/>.</summary>
    public WebhookSettings Webhook { get; set; } = new();

    /// <summary>An incoming webhook of Slack, or of what takes the same, such as Mattermost.</summary>
    public WebhookSettings Slack { get; set; } = new();

    /// <summary>A webhook of Microsoft Teams, as its workflows make them: <see href="https://learn.microsoft.com/power-automate/teams/overview"/>.</summary>
    public WebhookSettings Teams { get; set; } = new();

    /// <summary>The names of the channels that are set, as <c>./platform alerts test</c> prints them.</summary>
    public IReadOnlyList<string> Channels =>
        [.. Mail.IsSet ? (string[])["mail"] : [], .. Hooks.Where(hook => hook.Settings.IsSet).Select(hook => hook.Key.ToLowerInvariant())];

    /// <summary>The channels that are posted to, by the names of their settings; the channel's name has small letters.</summary>
    public IReadOnlyList<(string Key, WebhookSettings Settings)> Hooks => [("Webhook", Webhook), ("Slack", Slack), ("Teams", Teams)];

    /// <summary>The files with their secrets, by the names of the channels; those that are set.</summary>
    public IReadOnlyList<(string Channel, string Key, string File)> SecretFiles =>
    [
        .. (((string, string, string File)[])
        [
            ("mail", "Mail:PasswordFile", Mail.PasswordFile),
            .. Hooks.Select(hook => (hook.Key.ToLowerInvariant(), $"{hook.Key}:UrlFile", hook.Settings.UrlFile)),
        ]).Where(secret => secret.File.Length > 0),
    ];

    /// <summary>What is wrong with them, a sentence for each; files are looked at, too.</summary>
    public IEnumerable<string> Problems()
    {
        if (Mail.IsSet)
        {
            if (Mail.Address is null)
            {
                yield return $"Monitor:Mail:Server is '{Mail.Server}', but must be the host and the port of an SMTP server, such as mail.example.org:587.";
            }

            foreach (var (key, address) in ((string, string)[])[("From", Mail.From), ("To", Mail.To)])
            {
                if (address.Length == 0 || !address.Contains('@', StringComparison.Ordinal) || address.Any(char.IsControl))
                {
                    yield return $"Monitor:Mail:{key} is '{address}', but must be a mail address.";
                }
            }

            if (Mail.User.Length > 0 != Mail.PasswordFile.Length > 0)
            {
                yield return "Monitor:Mail:User and Monitor:Mail:PasswordFile belong together: only one of them is set.";
            }
        }

        foreach (var (_, key, file) in SecretFiles)
        {
            if (!(Path.IsPathFullyQualified(file) && File.Exists(file)))
            {
                yield return $"Monitor:{key} is '{file}', but must be the full path of a file that is there.";
            }
        }

        foreach (var (name, hook) in Hooks)
        {
            if (hook.Url.Length > 0 && hook.UrlFile.Length > 0)
            {
                yield return $"Monitor:{name}:Url and Monitor:{name}:UrlFile are both set: take one.";
            }
            else if (hook.Url.Length > 0 && !IsWeb(hook.Url))
            {
                yield return $"Monitor:{name}:Url must be a URL of http or https.";
            }
            else if (hook.UrlFile.Length > 0 && File.Exists(hook.UrlFile) && !IsWeb(hook.Read()))
            {
                yield return $"The file of Monitor:{name}:UrlFile must have a URL of http or https, and nothing else.";
            }
        }
    }

    private static bool IsWeb(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0;
}
