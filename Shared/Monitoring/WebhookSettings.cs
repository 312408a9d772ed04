namespace Platform.Monitoring;

/// <summary>Where an alert is posted to. The address of many a webhook is a secret, so it may be in a file.</summary>
public sealed class WebhookSettings
{
    /// <summary>The URL; empty: none, unless <see cref="UrlFile"/> has it.</summary>
    public string Url { get; set; } = "";

    /// <summary>The file that has the URL, and nothing else.</summary>
    public string UrlFile { get; set; } = "";

    /// <summary>Whether anything is posted.</summary>
    public bool IsSet => Url.Length > 0 || UrlFile.Length > 0;

    /// <summary>The URL, of the file where there is one.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public string Read() => UrlFile.Length > 0 ? File.ReadAllText(UrlFile).Trim() : Url;
}
