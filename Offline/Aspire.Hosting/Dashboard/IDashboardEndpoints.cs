namespace Aspire.Hosting.Dashboard;

/// <summary>
/// What the rest of the host needs to know of the dashboard. Registered as a singleton by
/// <c>DashboardRegistration.AddDashboard(IDistributedApplicationBuilder, DistributedApplicationOptions)</c> in this folder, which the
/// builder calls unless the dashboard is disabled. The dashboard itself is an ordinary (hidden) <c>ExecutableResource</c> named
/// <c>aspire-dashboard</c>, put first into the graph by a <see cref="Lifecycle.IDistributedApplicationEventingSubscriber"/> on
/// BeforeStartEvent, with endpoints <c>http</c>, <c>otlp-grpc</c>, <c>otlp-http</c>.
/// </summary>
internal interface IDashboardEndpoints
{
    /// <summary>The key that telemetry senders present as <c>x-otlp-api-key</c>; null: none is asked.</summary>
    string? OtlpApiKey { get; }

    /// <summary>The key for the resource service; null: none is asked.</summary>
    string? ResourceServiceApiKey { get; }

    /// <summary>The token of the login link; null: no login.</summary>
    string? BrowserToken { get; }

    /// <summary>The URL of OTLP/gRPC; waits until its port is known.</summary>
    ValueTask<string?> GetOtlpGrpcUrlAsync(CancellationToken cancellationToken);

    /// <summary>The URL of the resource service; waits until it listens.</summary>
    ValueTask<string?> GetResourceServiceUrlAsync(CancellationToken cancellationToken);

    /// <summary>The base URL that a browser opens; waits until its port is known.</summary>
    ValueTask<string?> GetDashboardUrlAsync(CancellationToken cancellationToken);
}
