using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Platform.Tests.TestKit.Servers;

/// <summary>A web server that keeps what Alertmanager posts to it, on 127.0.0.1.</summary>
internal sealed class WebhookSink : IAsyncDisposable
{
    private readonly HttpListener _listener;
    private readonly ConcurrentQueue<PostedAlert> _alerts = new();
    private readonly Task _serving;

    /// <summary>Listens.</summary>
    public WebhookSink()
    {
        while (true)
        {
            // It takes no port 0.
            var port = Random.Shared.Next(20_000, 32_000);
            _listener = new HttpListener { Prefixes = { $"http://127.0.0.1:{port}/" } };
            try
            {
                _listener.Start();
                Url = $"http://127.0.0.1:{port}/alerts";
                break;
            }
            catch (HttpListenerException)
            {
                // Another one's.
            }
        }

        _serving = ServeAsync();
    }

    /// <summary>Where alerts are posted to.</summary>
    public string Url { get; }

    /// <summary>The alerts that were posted, in their order.</summary>
    public IReadOnlyCollection<PostedAlert> Alerts => [.. _alerts];

    /// <summary>Whether an alert was posted.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="status"><c>firing</c> or <c>resolved</c>.</param>
    public bool Has(string name, string status) => _alerts.Any(alert => alert.Name == name && alert.Status == status);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        _listener.Close();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using (var document = await JsonDocument.ParseAsync(context.Request.InputStream))
                {
                    foreach (var alert in document.RootElement.GetProperty("alerts").EnumerateArray())
                    {
                        _alerts.Enqueue(new PostedAlert(
                            alert.GetProperty("labels").GetProperty("alertname").GetString()!,
                            alert.GetProperty("status").GetString()!,
                            alert.GetProperty("labels").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!),
                            alert.GetProperty("annotations").EnumerateObject().ToDictionary(text => text.Name, text => text.Value.GetString()!)));
                    }
                }

                context.Response.Close();
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }
}

/// <summary>An alert as it was posted.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Status"><c>firing</c> or <c>resolved</c>.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Annotations">Its texts.</param>
internal sealed record PostedAlert(
    string Name, string Status, IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations);
