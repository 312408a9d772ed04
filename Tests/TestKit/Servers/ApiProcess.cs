using System.Diagnostics;
using System.Globalization;
using System.Net;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>The API in a process of its own.</summary>
internal sealed class ApiProcess : IAsyncDisposable
{
    private const int KeptLines = 60;

    private readonly Process _process;
    private readonly Queue<string> _output = new();

    private ApiProcess(Process process, HttpClient client) => (_process, Client) = (process, client);

    /// <summary>How to call it.</summary>
    public HttpClient Client { get; }

    /// <summary>Starts it and waits for nothing.</summary>
    /// <param name="settings">Environment variables.</param>
    public static ApiProcess Start(IEnumerable<KeyValuePair<string, string>> settings)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{GatewayFixture.FreePort()}");
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "Platform.Api.dll")])
        {
            WorkingDirectory = AppContext.BaseDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["Paging__CursorKey"] = "the key of the tests, which is long enough";
        foreach (var (name, value) in NoRateLimits.Variables.Concat(settings))
        {
            start.Environment[name] = value;
        }

        start.Environment["ASPNETCORE_URLS"] = address;
        var process = Process.Start(start) ?? throw new InvalidOperationException("The API did not start.");
        var api = new ApiProcess(process, new HttpClient { BaseAddress = new Uri(address) });
        process.OutputDataReceived += api.Keep;
        process.ErrorDataReceived += api.Keep;
        // Unread output would block it in the end.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return api;
    }

    /// <summary>The latest of what it wrote.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join(Environment.NewLine, _output);
            }
        }
    }

    /// <summary>Whether it still runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Waits until it is healthy.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task UntilHealthyAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await IsHealthyAsync(patience.Token))
        {
            Assert.True(IsRunning, $"The API ended. {Output}");
            await Task.Delay(50, patience.Token);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await Client.GetAsync("/health", cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return false;
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
        {
            _output.Enqueue(line.Data ?? "");
            if (_output.Count > KeptLines)
            {
                _output.Dequeue();
            }
        }
    }
}
