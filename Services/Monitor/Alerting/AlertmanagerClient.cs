using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Platform.Monitor.Settings;
using Platform.Monitoring;

namespace Platform.Monitor.Alerting;

/// <summary>What is asked of Alertmanager: <see href="https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml"/>.</summary>
/// <param name="url">Its URL, with the login.</param>
/// <param name="timeout">How long an answer may take.</param>
internal sealed partial class AlertmanagerClient(string url, TimeSpan timeout) : IDisposable
{
    private readonly HttpClient _http = ServerUrl.ClientOf(url, new SocketsHttpHandler { UseProxy = false }, timeout);

    /// <summary>Whether it says that it is ready.</summary>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync("-/ready", cancellationToken);
        return response.IsSuccessStatusCode;
    }

    /// <summary>The alerts that fire: those that are silenced or inhibited, too.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<IReadOnlyList<FiringAlert>> AlertsAsync(CancellationToken cancellationToken)
    {
        var alerts = await _http.GetFromJsonAsync<JsonArray>("api/v2/alerts", cancellationToken);
        return [.. alerts!.Select(alert => FiringAlert.Read(alert!)).OrderBy(alert => alert.Since)];
    }

    /// <summary>The silences that hold, or will.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<IReadOnlyList<AlertSilence>> SilencesAsync(CancellationToken cancellationToken)
    {
        var silences = await _http.GetFromJsonAsync<JsonArray>("api/v2/silences", cancellationToken);
        return [.. silences!.Select(silence => AlertSilence.Read(silence!)).Where(silence => silence.State != "expired").OrderBy(silence => silence.Until)];
    }

    /// <summary>Keeps alerts from being told.</summary>
    /// <param name="matchers">Which: all of these have to fit.</param>
    /// <param name="since">From when.</param>
    /// <param name="until">Until when.</param>
    /// <param name="author">Who says so.</param>
    /// <param name="comment">Why.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The silence's id.</returns>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<string> SilenceAsync(
        IReadOnlyList<AlertMatcher> matchers, DateTimeOffset since, DateTimeOffset until, string author, string comment, CancellationToken cancellationToken)
    {
        var silence = new JsonObject
        {
            ["matchers"] = new JsonArray([.. matchers.Select(matcher => matcher.ToJson())]),
            ["startsAt"] = Moment(since), ["endsAt"] = Moment(until), ["createdBy"] = author, ["comment"] = comment,
        };
        using var response = await _http.PostAsJsonAsync("api/v2/silences", silence, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonObject>(cancellationToken))!["silenceID"]!.GetValue<string>();
    }

    /// <summary>Ends a silence.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<bool> UnsilenceAsync(Guid id, CancellationToken cancellationToken)
    {
        using var response = await _http.DeleteAsync($"api/v2/silence/{id}", cancellationToken);
        if (response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return false;
        }

        response.EnsureSuccessStatusCode();
        return true;
    }

    /// <summary>Keeps all alerts from being told, as firing and as resolved, until a moment.</summary>
    /// <param name="since">Since when; one that was told before goes on.</param>
    /// <param name="until">Until when, unless it is told again.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>True.</returns>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<bool> InhibitAsync(DateTimeOffset since, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await FireAsync(
            [new JsonObject { [AlertNames.Label] = AlertNames.Silent, ["severity"] = "critical" }],
            "Nobody evaluates the rules, so that nothing is told, as resolved neither.",
            since,
            until,
            cancellationToken);
        return true;
    }

    /// <summary>Sends a test by each channel that can be tested.</summary>
    /// <param name="channels">The channels.</param>
    /// <param name="id">The test's id, which is in every message.</param>
    /// <param name="since">When it is sent.</param>
    /// <param name="until">When it is over.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public Task TestAsync(
        IEnumerable<string> channels, string id, DateTimeOffset since, DateTimeOffset until, CancellationToken cancellationToken) => FireAsync(
        channels.Select(channel => new JsonObject
        {
            [AlertNames.Label] = AlertNames.Test, [AlertNames.ChannelLabel] = channel, [AlertNames.TestLabel] = id, ["severity"] = "none",
        }),
        $"This is a test ({id}). Nothing is wrong.",
        since,
        until,
        cancellationToken);

    /// <summary>The channels that can be tested: those with a receiver of their own.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<IReadOnlyList<string>> ChannelsAsync(CancellationToken cancellationToken)
    {
        var receivers = await _http.GetFromJsonAsync<JsonArray>("api/v2/receivers", cancellationToken);
        var prefix = AlertNames.TestReceiver("");
        return
        [
            .. receivers!.Select(receiver => receiver!["name"]!.GetValue<string>())
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
                .Select(name => name[prefix.Length..]),
        ];
    }

    /// <summary>How often a notification was tried by each receiver, and how often that failed, since Alertmanager started.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<IReadOnlyDictionary<string, ReceiverCount>> CountsAsync(CancellationToken cancellationToken) =>
        ReadCounts(await _http.GetStringAsync("metrics", cancellationToken));

    /// <summary>Reads the counters of receivers.</summary>
    /// <param name="metrics">Lines such as <c>alertmanager_notification_requests_total{integration="email",receiver_name="test-mail"} 3</c>.</param>
    internal static IReadOnlyDictionary<string, ReceiverCount> ReadCounts(string metrics)
    {
        var counts = new Dictionary<string, ReceiverCount>(StringComparer.Ordinal);
        foreach (Match line in Requests().Matches(metrics))
        {
            var receiver = line.Groups["receiver"].Value;
            var value = (long)double.Parse(line.Groups["value"].Value, CultureInfo.InvariantCulture);
            var count = counts.GetValueOrDefault(receiver);
            // A receiver may have several integrations.
            counts[receiver] = line.Groups["failed"].Success
                ? count with { Failed = count.Failed + value }
                : count with { Tried = count.Tried + value };
        }

        return counts;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task FireAsync(
        IEnumerable<JsonObject> labels, string summary, DateTimeOffset since, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var alerts = new JsonArray(
        [
            .. labels.Select(label => new JsonObject
            {
                ["labels"] = label,
                ["annotations"] = new JsonObject { ["summary"] = summary },
                ["startsAt"] = Moment(since),
                ["endsAt"] = Moment(until),
            }),
        ]);
        using var response = await _http.PostAsJsonAsync("api/v2/alerts", alerts, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    private static string Moment(DateTimeOffset moment) => moment.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    [GeneratedRegex(
        """^alertmanager_notification_requests(?<failed>_failed)?_total\{[^}]*receiver_name="(?<receiver>[^"]*)"[^}]*\} (?<value>[0-9.e+]+)$""",
        RegexOptions.Multiline)]
    private static partial Regex Requests();
}
