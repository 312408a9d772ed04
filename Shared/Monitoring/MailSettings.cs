namespace Platform.Monitoring;

/// <summary>How mail is sent: by an SMTP server.</summary>
public sealed class MailSettings
{
    /// <summary>The server, as <c>host:port</c>; empty: no mail is sent. Port 465 is encrypted from the first byte, others by STARTTLS.</summary>
    public string Server { get; set; } = "";

    /// <summary>The sender's address.</summary>
    public string From { get; set; } = "";

    /// <summary>The address of who is told.</summary>
    public string To { get; set; } = "";

    /// <summary>As whom to log in; empty: without a login.</summary>
    public string User { get; set; } = "";

    /// <summary>The file with the password of that user, which only its owner may read.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>Whether mail is sent by an encrypted connection or not at all. Default: true.</summary>
    public bool RequireTls { get; set; } = true;

    /// <summary>Whether mail is sent.</summary>
    public bool IsSet => Server.Length > 0;

    /// <summary>The host and the port of <see cref="Server"/>; null when it has not both.</summary>
    public (string Host, int Port)? Address =>
        Server.LastIndexOf(':') is > 0 and var colon && int.TryParse(Server.AsSpan(colon + 1), out var port) && port is > 0 and <= ushort.MaxValue
            ? (Server[..colon].Trim('[', ']'), port)
            : null;
}
