using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Platform.Tests.TestKit.Servers;

/// <summary>An SMTP server that keeps what it is sent: without TLS, without logins, on 127.0.0.1.</summary>
internal sealed class MailSink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<string> _mails = new();
    private readonly Task _accepting;

    /// <summary>Listens.</summary>
    public MailSink()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>Its port.</summary>
    public int Port { get; }

    /// <summary>Whether it refuses the recipients of mails from now on, as a server does that has no room.</summary>
    public bool Refuses { get; set; }

    /// <summary>The mails, with their headers.</summary>
    public IReadOnlyCollection<string> Mails => [.. _mails];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                sessions.Add(TalkAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
                await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
                await writer.WriteLineAsync("220 sink");
                while (await reader.ReadLineAsync(_end.Token) is { } line)
                {
                    var answer = line.Split(' ')[0].ToUpperInvariant() switch
                    {
                        "RCPT" when Refuses => "452 no room",
                        "DATA" => "354 go on",
                        "QUIT" => "221 bye",
                        _ => "250 sink",
                    };
                    await writer.WriteLineAsync(answer);
                    if (answer.StartsWith("354", StringComparison.Ordinal))
                    {
                        var mail = new StringBuilder();
                        while (await reader.ReadLineAsync(_end.Token) is { } text && text != ".")
                        {
                            mail.Append(text).Append('\n');
                        }

                        _mails.Enqueue(mail.ToString());
                        await writer.WriteLineAsync("250 taken");
                    }
                    else if (answer.StartsWith("221", StringComparison.Ordinal))
                    {
                        return;
                    }
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException)
            {
                // The client, or the test, has ended.
            }
        }
    }
}
