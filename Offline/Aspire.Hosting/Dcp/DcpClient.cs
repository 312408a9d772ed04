using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Aspire.Hosting.Dcp;

/// <summary>Talks to the REST API of a running dcp.</summary>
internal sealed class DcpClient : IDisposable
{
    public const string ApiVersion = "usvc-dev.developer.microsoft.com/v1";

    private const string Root = "/apis/" + ApiVersion + "/";
    private static readonly TimeSpan s_requestTimeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;

    public DcpClient(Uri server, X509Certificate2 authority, string token)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(authority);
        _http = new HttpClient(new SocketsHttpHandler
        {
            // Each process has log streams open all the time; a connection carries 250 at most.
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
        })
        {
            BaseAddress = server,
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Creates a process.</summary>
    /// <returns>The id of the object: another one of the same name has another id.</returns>
    public async Task<string?> CreateAsync(DcpExecutable executable, CancellationToken cancellationToken)
    {
        var body = await SendAsync(HttpMethod.Post, Root + "executables", Json(executable, DcpJson.Default.DcpExecutable), cancellationToken);
        return JsonSerializer.Deserialize(body, DcpJson.Default.DcpExecutable)?.Metadata.Uid;
    }

    public Task CreateAsync(DcpService service, CancellationToken cancellationToken)
        => SendAsync(HttpMethod.Post, Root + "services", Json(service, DcpJson.Default.DcpService), cancellationToken);

    /// <summary>Asks a process to end: SIGTERM, and SIGKILL six seconds later.</summary>
    public Task StopExecutableAsync(string name, CancellationToken cancellationToken)
        => SendAsync(HttpMethod.Patch, ExecutablePath(name), MergePatch("""{"spec":{"stop":true}}"""), cancellationToken);

    /// <summary>Whether dcp still has the object.</summary>
    public async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(ExecutablePath(name), cancellationToken);
        return response.IsSuccessStatusCode
            || (response.StatusCode == HttpStatusCode.NotFound ? false : throw await ErrorAsync(response, name, cancellationToken));
    }

    public Task DeleteExecutableAsync(string name, CancellationToken cancellationToken)
        => SendAsync(HttpMethod.Delete, ExecutablePath(name), content: null, cancellationToken, missingIsFine: true);

    /// <summary>Asks dcp to stop what still runs, to remove its files and to exit.</summary>
    public Task StopServerAsync(CancellationToken cancellationToken)
        => SendAsync(HttpMethod.Patch, "/admin/execution", MergePatch("""{"status":"Stopping"}"""), cancellationToken);

    public IAsyncEnumerable<DcpWatchEvent<DcpExecutable>> WatchExecutablesAsync(CancellationToken cancellationToken)
        => WatchAsync("executables", DcpJson.Default.DcpWatchEventDcpExecutable, cancellationToken);

    public IAsyncEnumerable<DcpWatchEvent<DcpService>> WatchServicesAsync(CancellationToken cancellationToken)
        => WatchAsync("services", DcpJson.Default.DcpWatchEventDcpService, cancellationToken);

    /// <summary>Reads a console log; with <paramref name="follow"/> until some seconds after the process ended.</summary>
    /// <param name="name">The executable.</param>
    /// <param name="source"><c>stdout</c>, <c>stderr</c>, or <c>system</c> for dcp's own lines about the executable.</param>
    /// <param name="follow">Whether to wait for more.</param>
    /// <param name="skip">The number of lines to leave out at the beginning.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async IAsyncEnumerable<string> ReadLogAsync(
        string name,
        string source,
        bool follow,
        int skip,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"{ExecutablePath(name)}/log?source={source}&follow={(follow ? "true" : "false")}&timestamps=true{(skip > 0 ? $"&skip={skip}" : "")}");
        using var response = await OpenAsync(path, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            yield return line;
        }
    }

    public void Dispose() => _http.Dispose();

    private static string ExecutablePath(string name) => Root + "executables/" + Uri.EscapeDataString(name);

    private async IAsyncEnumerable<DcpWatchEvent<T>> WatchAsync<T>(
        string plural,
        JsonTypeInfo<DcpWatchEvent<T>> type,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await OpenAsync($"{Root}{plural}?watch=true", cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            yield return JsonSerializer.Deserialize(line, type) ?? throw new DcpException($"The orchestrator sent an empty event about {plural}.");
        }
    }

    private async Task<HttpResponseMessage> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var response = await _http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await ErrorAsync(response, path, cancellationToken);
        }
    }

    private async Task<byte[]> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? content,
        CancellationToken cancellationToken,
        bool missingIsFine = false)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_requestTimeout);
        using var request = new HttpRequestMessage(method, path)
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        try
        {
            using var response = await _http.SendAsync(request, timeout.Token);
            if (!response.IsSuccessStatusCode && !(missingIsFine && response.StatusCode == HttpStatusCode.NotFound))
            {
                throw await ErrorAsync(response, path, timeout.Token);
            }

            return await response.Content.ReadAsByteArrayAsync(timeout.Token);
        }
        catch (OperationCanceledException ex) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DcpException($"The orchestrator did not answer {method} {path} within {s_requestTimeout.TotalSeconds} s.", ex);
        }
        catch (HttpRequestException ex)
        {
            throw new DcpException($"The orchestrator cannot be reached: {ex.Message}", ex);
        }
    }

    private static async Task<DcpException> ErrorAsync(HttpResponseMessage response, string path, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        string? message;
        try
        {
            message = JsonSerializer.Deserialize(body, DcpJson.Default.DcpError)?.Message;
        }
        catch (JsonException)
        {
            message = body; // not every error is a Status object
        }

        return new DcpException($"The orchestrator answered {(int)response.StatusCode} to {path}: {message}");
    }

    private static ByteArrayContent Json<T>(T value, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    // With "; charset=utf-8" behind it, /admin/execution answers 415.
    private static ByteArrayContent MergePatch(string json)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/merge-patch+json");
        return content;
    }
}
