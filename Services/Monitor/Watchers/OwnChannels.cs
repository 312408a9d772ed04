using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MimeKit;
using Platform.Monitor.Settings;
using Platform.Monitoring;

namespace Platform.Monitor.Watchers;

/// <summary>
/// Tells people by the monitor's own mail and webhooks, without Alertmanager: each channel for itself, in the order in which it is told, as often as it takes.
/// </summary>
internal sealed partial class OwnChannels : BackgroundService
{
    /// <summary>How many messages wait for a channel at most: the oldest goes first, and is logged.</summary>
    public const int MaxWaiting = 100;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    private readonly ILogger<OwnChannels> _logger;
    private readonly MonitorOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = s_patience };
    private readonly Dictionary<string, Channel<WatchMessage>> _waiting;

    /// <summary>Reads the channels from the settings.</summary>
    public OwnChannels(IOptions<MonitorOptions> options, TimeProvider time, ILogger<OwnChannels> logger)
    {
        (_options, _time, _logger) = (options.Value, time, logger);
        _waiting = _options.Channels.ToDictionary(
            channel => channel,
            channel => Channel.CreateBounded<WatchMessage>(
                new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
                dropped => Dropped(channel, dropped.Subject)),
            StringComparer.Ordinal);
    }

    /// <summary>Hands a message to every channel; it is sent as soon as that goes.</summary>
    public void Tell(WatchMessage message)
    {
        Told(message.Subject, message.Text);
        foreach (var channel in _waiting.Values)
        {
            channel.Writer.TryWrite(message);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _http.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_waiting.Select(channel => SendAllAsync(channel.Key, channel.Value.Reader, stoppingToken)));

    private async Task SendAllAsync(string channel, ChannelReader<WatchMessage> messages, CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var message in messages.ReadAllAsync(stoppingToken))
            {
                var pause = s_shortest;
                while (!await TrySendAsync(channel, message, stoppingToken))
                {
                    await Task.Delay(pause, _time, stoppingToken);
                    pause = pause * 2 < s_longest ? pause * 2 : s_longest;
                }

                Sent(message.Subject, channel);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            if (messages.Count > 0)
            {
                Left(messages.Count, channel);
            }
        }
    }

    private async Task<bool> TrySendAsync(string channel, WatchMessage message, CancellationToken stoppingToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        limit.CancelAfter(s_patience);
        try
        {
            await (channel switch
            {
                "mail" => MailAsync(message, limit.Token),
                "webhook" => PostAsync(_options.Webhook, message.Webhook(), limit.Token),
                "slack" => PostAsync(_options.Slack, message.Slack(), limit.Token),
                "teams" => PostAsync(_options.Teams, message.Teams(), limit.Token),
                _ => throw new InvalidOperationException($"There is no channel {channel}."),
            });
            return true;
        }
        catch (Exception exception) when (
            exception is HttpRequestException or IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException
                or ServiceNotConnectedException or ServiceNotAuthenticatedException or ProtocolException or CommandException or AuthenticationException
                or SslHandshakeException or NotSupportedException
            || (exception is OperationCanceledException && !stoppingToken.IsCancellationRequested))
        {
            NotSent(message.Subject, channel, exception.Message.ReplaceLineEndings(" "));
            return false;
        }
    }

    private async Task PostAsync(WebhookSettings hook, JsonObject content, CancellationToken cancellationToken)
    {
        // With its length: many a receiver takes no chunks.
        using var body = new StringContent(content.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(hook.Read(), body, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    private async Task MailAsync(WatchMessage message, CancellationToken cancellationToken)
    {
        var settings = _options.Mail;
        var (host, port) = settings.Address!.Value;
        using var mail = new MimeMessage
        {
            Subject = $"[platform] {message.Subject}", Date = _time.GetUtcNow(), Priority = MessagePriority.Urgent,
            Body = new TextPart("plain") { Text = message.Text },
        };
        mail.From.Add(MailboxAddress.Parse(settings.From));
        mail.To.AddRange(InternetAddressList.Parse(settings.To));
        using var client = new SmtpClient();
        // As Alertmanager does it.
        var security = port == 465 ? SecureSocketOptions.SslOnConnect
            : settings.RequireTls ? SecureSocketOptions.StartTls
            : SecureSocketOptions.StartTlsWhenAvailable;
        await client.ConnectAsync(host, port, security, cancellationToken);
        if (settings.User.Length > 0)
        {
            var password = (await File.ReadAllTextAsync(settings.PasswordFile, cancellationToken)).Trim();
            await client.AuthenticateAsync(settings.User, password, cancellationToken);
        }

        await client.SendAsync(mail, cancellationToken);
        await client.DisconnectAsync(quit: true, cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "{Subject}: {Text}")]
    private partial void Told(string subject, string text);

    [LoggerMessage(LogLevel.Information, "'{Subject}' was sent by {Channel}")]
    private partial void Sent(string subject, string channel);

    [LoggerMessage(LogLevel.Warning, "'{Subject}' could not be sent by {Channel}, and will be again: {Reason}")]
    private partial void NotSent(string subject, string channel, string reason);

    [LoggerMessage(LogLevel.Error, "'{Subject}' will not be sent by {Channel}: too many messages wait")]
    private partial void Dropped(string channel, string subject);

    [LoggerMessage(LogLevel.Error, "{Count} messages are left unsent by {Channel}")]
    private partial void Left(int count, string channel);
}
