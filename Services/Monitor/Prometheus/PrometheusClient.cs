using System.Globalization;
using System.Text.Json;
using Platform.Monitor.Settings;

namespace Platform.Monitor.Prometheus;

/// <summary>Asks Prometheus for values. <see href="https://prometheus.io/docs/prometheus/latest/querying/api/"/></summary>
/// <param name="url">Its URL, with the login.</param>
/// <param name="timeout">How long an answer may take.</param>
internal sealed class PrometheusClient(string url, TimeSpan timeout) : IDisposable
{
    private readonly HttpClient _http = ServerUrl.ClientOf(url, new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 4 }, timeout);

    /// <summary>What an expression is now.</summary>
    /// <param name="expression">PromQL.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>A series of one value for each label set; none where there is nothing.</returns>
    /// <exception cref="PrometheusException">It does not answer, or refuses.</exception>
    public Task<IReadOnlyList<TimeSeries>> NowAsync(string expression, CancellationToken cancellationToken) =>
        AskAsync($"api/v1/query?query={Uri.EscapeDataString(expression)}", "value", cancellationToken);

    /// <summary>What an expression was.</summary>
    /// <param name="expression">PromQL.</param>
    /// <param name="times">When.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>A series for each label set; none where there is nothing.</returns>
    /// <exception cref="PrometheusException">It does not answer, or refuses.</exception>
    public Task<IReadOnlyList<TimeSeries>> RangeAsync(string expression, TimeGrid times, CancellationToken cancellationToken) => AskAsync(
        string.Create(
            CultureInfo.InvariantCulture,
            $"api/v1/query_range?query={Uri.EscapeDataString(expression)}&start={times.Start}&end={times.End}&step={times.Step}"),
        "values",
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<IReadOnlyList<TimeSeries>> AskAsync(string path, string values, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(path, cancellationToken);
            using var document = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), default, cancellationToken);
            return response.IsSuccessStatusCode
                ? [.. document.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().Select(result => TimeSeries.Read(result, values))]
                : throw new PrometheusException($"Prometheus refuses a question: {Printable.Of(document.RootElement.GetProperty("error").GetString() ?? "")}");
        }
        catch (Exception exception) when (
            exception is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new PrometheusException("Prometheus does not answer.", exception);
        }
    }
}
