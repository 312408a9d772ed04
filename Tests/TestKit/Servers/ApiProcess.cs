using System.Net;

namespace Platform.Tests.TestKit.Servers;

/// <summary>The API in a process of its own, without limits on requests.</summary>
internal sealed class ApiProcess : IAsyncDisposable
{
    /// <summary>Nothing listens there, and without its cache the API works too.</summary>
    public const string NoCache = "127.0.0.1:9";

    private ApiProcess(ServerProcess process, IPEndPoint address) =>
        (Process, Address, Client) = (process, address, new HttpClient { BaseAddress = new Uri($"http://{address}") });

    /// <summary>Its process.</summary>
    public ServerProcess Process { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>How to call it.</summary>
    public HttpClient Client { get; }

    /// <summary>Starts it and waits for nothing.</summary>
    /// <param name="database">The connection string of its database.</param>
    /// <param name="cache">That of its cache.</param>
    /// <param name="settings">Further environment variables.</param>
    public static ApiProcess Start(string database, string cache, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var address = new IPEndPoint(IPAddress.Loopback, FreePort.Find());
        var environment = new Dictionary<string, string?>(NoRateLimits.Variables)
        {
            // Databases of tests are mostly made without a history.
            ["MigrationCheck__Enabled"] = "false",
            // Tests and benchmarks ask it without tokens, unless they are about these.
            [SettingNames.ApiAuthenticationMode] = "Gateway",
            [SettingNames.PagingCursorKey] = "the key of the tests, which is long enough",
            ["ConnectionStrings__platform"] = database,
            ["ConnectionStrings__cache"] = cache,
            ["ASPNETCORE_URLS"] = $"http://{address}",
            ["Logging__LogLevel__Default"] = "Error",
            ["Logging__LogLevel__StackExchange.Redis"] = "None",
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        return new ApiProcess(ServerProcess.Start(BuiltProgram.Path("Api"), [], environment), address);
    }

    /// <summary>Starts it and returns when it is healthy.</summary>
    /// <inheritdoc cref="Start"/>
    public static async Task<ApiProcess> StartHealthyAsync(
        string database, string cache, IEnumerable<KeyValuePair<string, string?>> settings, CancellationToken cancellationToken)
    {
        var api = Start(database, cache, settings);
        try
        {
            await api.Process.UntilAsync(() => api.AnswersAsync("/health", cancellationToken), cancellationToken);
            return api;
        }
        catch
        {
            await api.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether it answers a request with 200.</summary>
    /// <param name="path">What is asked for.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<bool> AnswersAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await Client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return false;
        }
    }

    /// <summary>Kills it: no good-bye to anyone.</summary>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Process.KillAsync();
        await Process.DisposeAsync();
    }
}
