using System.Net;
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Platform.Tests.Conformance.Offline;

/// <summary>The real dashboard, started as a resource of a small app host.</summary>
public sealed partial class DashboardTests
{
    [Fact]
    public async Task The_dashboard_is_announced_asks_for_the_token_and_ends_with_the_app()
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(40));
        var announced = new LoginLine();
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.SmallAppHost>(
            [], (options, _) => options.DisableDashboard = false, timeout.Token);
        builder.Services.AddLogging(logging => logging.AddProvider(announced));
        await using var app = await builder.BuildAsync(timeout.Token);
        await app.StartAsync(timeout.Token);
        var link = new Uri(await announced.Link.WaitAsync(timeout.Token));

        Assert.NotEqual(8080, link.Port); // random ports hold for the dashboard too
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        Assert.Equal("/login", await RedirectAsync(browser, new Uri(link, "/login?t=" + new string('0', 32)), timeout.Token));
        Assert.StartsWith("/login?", await RedirectAsync(browser, new Uri(link, "/traces"), timeout.Token), StringComparison.Ordinal);
        Assert.Equal("/", await RedirectAsync(browser, link, timeout.Token));
        using var inside = await browser.GetAsync(new Uri(link, "/traces"), timeout.Token);
        Assert.Equal(HttpStatusCode.OK, inside.StatusCode);

        Assert.True(app.ResourceNotifications.TryGetCurrentState("aspire-dashboard", out var dashboard));
        Assert.True(dashboard.Snapshot.IsHidden);
        var pid = Convert.ToInt32(dashboard.Snapshot.Property("executable.pid"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.DoesNotContain(
            dashboard.Snapshot.EnvironmentVariables.Where(v => v.Name.EndsWith("KEY", StringComparison.Ordinal) || v.Name.EndsWith("TOKEN", StringComparison.Ordinal)),
            secret => File.ReadAllText($"/proc/{pid}/cmdline").Contains(secret.Value!, StringComparison.Ordinal));
        await app.StopAsync(timeout.Token);
        Assert.False(Directory.Exists($"/proc/{pid}"), "The dashboard is to have ended with the app.");
    }

    private static async Task<string> RedirectAsync(HttpClient browser, Uri address, CancellationToken cancellationToken)
    {
        using var answer = await browser.GetAsync(address, cancellationToken);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        var location = answer.Headers.Location!;
        return location.IsAbsoluteUri ? location.PathAndQuery : location.OriginalString;
    }

    private sealed partial class LoginLine : ILoggerProvider, ILogger
    {
        private readonly TaskCompletionSource<string> _link = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Link => _link.Task;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Line().Match(formatter(state, exception)) is { Success: true } match)
            {
                _link.TrySetResult(match.Groups[1].Value);
            }
        }

        public void Dispose()
        {
        }

        // From the start of the line: the dashboard's own log, forwarded, says the same later with a line number before it.
        [GeneratedRegex("^Login to the dashboard at (http[^ ]+/login\\?t=[0-9a-f]{32})$")]
        private static partial Regex Line();
    }
}
