using System.Globalization;
using System.Net;

namespace Platform.Benchmarks;

/// <summary>The API in a process of its own, without limits on requests.</summary>
internal sealed class BenchmarkApi : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private BenchmarkApi(ServerProcess process, IPEndPoint address) => (Process, Address) = (process, address);

    /// <summary>Its process.</summary>
    public ServerProcess Process { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Starts it and returns when it is healthy.</summary>
    /// <param name="database">The connection string of its database.</param>
    /// <param name="cache">That of its cache.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<BenchmarkApi> StartAsync(string database, string cache, CancellationToken cancellationToken)
    {
        var address = new IPEndPoint(IPAddress.Loopback, BenchmarkServer.FreePort());
        var process = ServerProcess.Start(
            Path.Combine(AppContext.BaseDirectory, "Platform.Api"),
            [],
            new Dictionary<string, string>(NoRateLimits.Variables)
            {
                ["Paging__CursorKey"] = "the key of the benchmarks, which is long enough",
                ["ConnectionStrings__platform"] = database,
                ["ConnectionStrings__cache"] = cache,
                ["ASPNETCORE_URLS"] = $"http://{address}",
                ["Logging__LogLevel__Default"] = "Error",
            });
        var api = new BenchmarkApi(process, address);
        try
        {
            using var client = api.CreateClient();
            await process.WaitUntilAsync(() => IsHealthyAsync(client, cancellationToken), s_patience, cancellationToken);
            return api;
        }
        catch
        {
            await api.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a client of it.</summary>
    public HttpClient CreateClient() => new() { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{Address}")) };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private static async Task<bool> IsHealthyAsync(HttpClient client, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync("/health", cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return false;
        }
    }
}
