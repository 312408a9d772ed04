using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>How failed waits read.</summary>
public sealed class ResourceWaitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_unknown_resource_is_named_at_once_with_those_that_there_are()
    {
        var builder = CreateBuilder();
        AddShell(builder, "server", "sleep 600");
        await using var app = builder.Build();

        var failure = await Assert.ThrowsAsync<ArgumentException>(() => app.UntilHealthyAsync("sever", Patience, Token));

        Assert.StartsWith("The graph has no resource 'sever', only: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("server", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_fails_shows_its_exit_code_and_what_it_printed_last()
    {
        var builder = CreateBuilder();
        AddShell(builder, "job", "echo the cellar is flooded >&2; exit 3");
        await using var app = builder.Build();
        await app.StartAsync(Token);

        var failure = await Assert.ThrowsAsync<WaitFailedException>(() => app.UntilDoneAsync("job", Patience, Token));

        Assert.StartsWith(
            "The resource 'job' was expected to end with exit code 0, but it ended with exit code 3.\n  job: Finished, exit code 3",
            failure.Message,
            StringComparison.Ordinal);
        Assert.Contains("the cellar is flooded", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wait_that_takes_too_long_shows_what_the_resource_waits_for_and_why_that_is_not_healthy()
    {
        var builder = CreateBuilder();
        builder.Services.AddHealthChecks().AddCheck("server_check", () => HealthCheckResult.Unhealthy("No primary."));
        var server = AddShell(builder, "server", "echo looking for a primary; exec sleep 600").WithHealthCheck("server_check");
        AddShell(builder, "api", "exec sleep 600").WaitFor(server);
        await using var app = builder.Build();
        // It returns when everything has started, which "api" never does here.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var starting = app.StartAsync(stopping.Token);
        await app.UntilAsync("server", "be checked", change => change.Snapshot.HealthStatus == HealthStatus.Unhealthy, Patience, Token);

        var failure = await Assert.ThrowsAsync<WaitFailedException>(() => app.UntilHealthyAsync("api", TimeSpan.FromSeconds(1), Token));

        Assert.StartsWith(
            "The resource 'api' was expected to become healthy, but did not within 1 s.\n  api: Waiting", failure.Message, StringComparison.Ordinal);
        Assert.Contains("\n    server: Running, server_check Unhealthy (No primary.)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("looking for a primary", failure.Message, StringComparison.Ordinal);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
    }

    private static IDistributedApplicationBuilder CreateBuilder()
    {
        // The AppHost's assembly says where the orchestrator is.
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = [],
            DisableDashboard = true,
            AssemblyName = typeof(Projects.AppHost).Assembly.GetName().Name,
        });
        builder.Services.AddLogging(logging => logging.ClearProviders()); // it would drown the results
        return builder;
    }

    private static IResourceBuilder<ExecutableResource> AddShell(IDistributedApplicationBuilder builder, string name, string script)
        => builder.AddExecutable(name, "/bin/sh", Path.GetTempPath(), "-c", script);
}
