using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Platform.Tests.Server.Connections;

/// <summary>Aspire's dashboard without an app host, open to everybody on this machine, on ports of its own.</summary>
internal sealed class DashboardProcess : IAsyncDisposable
{
    private readonly ServerProcess _process;
    private readonly HttpClient _http;

    private DashboardProcess(string program, DirectoryInfo directory)
    {
        OtlpGrpc = Address(FreePort.Find());
        OtlpHttp = Address(FreePort.Find());
        _http = new HttpClient { BaseAddress = Address(FreePort.Find()) };
        _process = ServerProcess.Start(program, [], new Dictionary<string, string?>
        {
            ["ASPNETCORE_URLS"] = _http.BaseAddress.ToString(),
            ["ASPNETCORE_CONTENTROOT"] = Path.GetDirectoryName(program),
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = OtlpGrpc.ToString(),
            ["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = OtlpHttp.ToString(),
            ["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true",
            // It keeps what it received in files there.
            ["TMPDIR"] = directory.FullName,
        });
    }

    /// <summary>Where it takes telemetry over gRPC.</summary>
    public Uri OtlpGrpc { get; }

    /// <summary>Where it takes telemetry over HTTP.</summary>
    public Uri OtlpHttp { get; }

    /// <summary>The program, which comes with Aspire's packages; null when this machine does not have it.</summary>
    public static string? Find()
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } said
            ? said
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var package =
            new DirectoryInfo(Path.Combine(packages, $"aspire.dashboard.sdk.linux-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}"));
        return package.Exists
            ? package.EnumerateDirectories()
                .OrderByDescending(version => Version.TryParse(version.Name, out var number) ? number : new Version())
                .Select(version => Path.Combine(version.FullName, "tools", "Aspire.Dashboard"))
                .FirstOrDefault(File.Exists)
            : null;
    }

    /// <summary>Starts it and waits until it answers.</summary>
    public static async Task<DashboardProcess> StartAsync(string program, DirectoryInfo directory, CancellationToken cancellationToken)
    {
        var dashboard = new DashboardProcess(program, directory);
        try
        {
            await dashboard._process.UntilAsync(() => dashboard.AnswersAsync(cancellationToken), cancellationToken);
            return dashboard;
        }
        catch
        {
            await dashboard.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks its API for telemetry.</summary>
    /// <param name="query">What comes behind <c>/api/telemetry/</c>.</param>
    /// <param name="cancellationToken">Cancels the question.</param>
    /// <returns>The answer; undefined when it does not know the resource yet.</returns>
    public async Task<JsonElement> AskAsync(string query, CancellationToken cancellationToken)
    {
        using var answer = await _http.GetAsync(new Uri($"/api/telemetry/{query}", UriKind.Relative), cancellationToken);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return default;
        }

        answer.EnsureSuccessStatusCode();
        await using var content = await answer.Content.ReadAsStreamAsync(cancellationToken);
        using var document = await JsonDocument.ParseAsync(content, cancellationToken: cancellationToken);
        return document.RootElement.Clone();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.KillAsync();
        await _process.DisposeAsync();
    }

    private static Uri Address(int port) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri("/health", UriKind.Relative), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            // Not listening yet.
            return false;
        }
    }
}
