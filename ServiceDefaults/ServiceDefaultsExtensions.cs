using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Platform.ServiceDefaults;
using Platform.ServiceDefaults.Http;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service of the platform has: telemetry, health endpoints, service discovery and resilience.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>The path of the readiness probe: every registered health check.</summary>
    public const string HealthPath = "/health";

    /// <summary>The path of the liveness probe: only the checks tagged <see cref="LiveTag"/>.</summary>
    public const string AlivePath = "/alive";

    /// <summary>The tag of health checks that say whether the process itself works; they touch no other server.</summary>
    public const string LiveTag = "live";

    /// <summary>The configuration key that turns export over OTLP on.</summary>
    /// <remarks><see href="https://opentelemetry.io/docs/specs/otel/protocol/exporter/"/></remarks>
    public const string OtlpEndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>The configuration key that chooses which traces are recorded; without it, <see cref="TraceRateSampler"/> does.</summary>
    /// <remarks><see href="https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"/></remarks>
    public const string TracesSamplerKey = "OTEL_TRACES_SAMPLER";

    /// <summary>
    /// Adds telemetry (exported over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is configured, its metrics shown to Prometheus when there is a key
    /// (<see cref="ScrapeOptions"/>), and not measured without either), the health checks behind <see cref="MapDefaultEndpoints"/>, service discovery and
    /// the standard resilience pipeline for outgoing HTTP.
    /// Serves web applications and jobs alike.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of host builder.</typeparam>
    /// <param name="builder">The host builder.</param>
    /// <returns>The same builder.</returns>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);

        builder.AddLogLevels();
        builder.AddScrapeKey();
        builder.AddTelemetry();
        builder.AddHealthProbes();
        builder.AddHostFilter();

        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            // A POST that timed out may have been carried out: only methods that are safe to repeat are retried.
            http.AddStandardResilienceHandler(options => options.Retry.DisableForUnsafeHttpMethods());
            http.AddServiceDiscovery();
        });

        return builder;
    }

    /// <summary>
    /// Puts first what all HTTP services do alike: security headers in every answer, HEAD wherever there is GET, and no requests for
    /// other hosts (<see cref="HostFilterOptions"/>). Begins the routing, so that what follows knows the endpoint.
    /// </summary>
    /// <param name="app">The web application.</param>
    /// <param name="answers">What makes answers of exceptions and bare status codes, if the service has such.</param>
    /// <returns>The same application.</returns>
    public static WebApplication UseHttpDefaults(this WebApplication app, Action<WebApplication>? answers = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<HeadRequests>();
        answers?.Invoke(app);
        app.UseRouting();
        app.UseMiddleware<HostFilter>();
        return app;
    }

    /// <summary>
    /// Maps <c>/health</c> (200 when the service can do its work, else 503) and <c>/alive</c> (200 while the process
    /// works; touches no other server), in every environment. Who may ask is set by <see cref="HealthEndpointOptions"/>;
    /// outside Development, and to callers on other machines, the answer is the status alone. Maps <c>/metrics</c>, too, where there is a key for it
    /// (<see cref="ScrapeOptions"/>).
    /// </summary>
    /// <param name="app">The web application.</param>
    /// <returns>The same application.</returns>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);

        var options = app.Services.GetRequiredService<IOptions<HealthEndpointOptions>>().Value;
        var isDevelopment = app.Environment.IsDevelopment();

        var ready = app.MapGet(HealthPath, async (HttpContext http, ReadinessProbe probe) =>
            await HealthResponse.WriteAsync(http, await probe.CheckAsync(http.RequestAborted), isDevelopment))
            .ExcludeFromDescription();
        var alive = app.MapHealthChecks(AlivePath, new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(LiveTag),
            ResponseWriter = (http, report) => HealthResponse.WriteAsync(http, report, isDevelopment),
        });

        foreach (IEndpointConventionBuilder endpoint in new IEndpointConventionBuilder[] { ready, alive })
        {
            // Probes arrive every few seconds for ever; counted as requests they would hide the real traffic.
            endpoint.DisableHttpMetrics();
            endpoint.DisableRateLimiting();
            endpoint.AllowAnonymous();
            endpoint.WithMetadata(new OperationsEndpoint());
            if (options.Hosts.Count > 0)
            {
                endpoint.RequireHost([.. options.Hosts]);
            }

            if (options.LoopbackOnly)
            {
                LoopbackOnly.Apply(endpoint);
            }
        }

        ScrapeEndpoint.Map(app);
        return app;
    }

    // What each request would say at the level Information, spans say better. At the lowest precedence: any
    // other source of configuration wins.
    private static void AddLogLevels(this IHostApplicationBuilder builder)
        => builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData =
            [
                new("Logging:LogLevel:Microsoft.AspNetCore", nameof(LogLevel.Warning)),
                // Who asks for a service's health gets the answer; an error for every check while a server starts is noise.
                new("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", nameof(LogLevel.Critical)),
            ],
        });

    private static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        var isScraped = !string.IsNullOrEmpty(builder.Configuration[ScrapeOptions.Key]);
        var isExported = !string.IsNullOrWhiteSpace(builder.Configuration[OtlpEndpointKey]);
        if (!isScraped && !isExported)
        {
            // What nobody gets is not measured: it would be a tenth of what a quick request costs.
            return;
        }

        var telemetry = builder.Services.AddOpenTelemetry()
            // Ours first: what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say wins.
            .ConfigureResource(resource => resource
                .Clear()
                .AddAttributes(ResourceAttributes(builder.Environment))
                .AddTelemetrySdk()
                .AddEnvironmentVariableDetector())
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter(TelemetryNames.Meters));
        if (isScraped)
        {
            telemetry.WithMetrics(metrics => metrics.AddPrometheusExporter());
        }

        if (!isExported)
        {
            return;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        telemetry
            .WithTracing(tracing =>
            {
                tracing
                    .AddAspNetCoreInstrumentation(options => options.Filter = http => !IsProbe(http.Request.Path))
                    .AddHttpClientInstrumentation()
                    .AddSource(TelemetryNames.Sources)
                    .AddProcessor<BackgroundCalls>();
                if (string.IsNullOrWhiteSpace(builder.Configuration[TracesSamplerKey]))
                {
                    tracing.SetSampler(new ParentBasedSampler(new TraceRateSampler(TimeProvider.System)));
                }
            })
            .UseOtlpExporter();
    }

    private static void AddScrapeKey(this IHostApplicationBuilder builder) => builder.Services.AddOptions<ScrapeOptions>()
        .BindSettings(ScrapeOptions.Section)
        .Validate(
            options => options.ScrapeKey.Length is 0 or >= ScrapeOptions.MinKeyLength,
            $"{ScrapeOptions.Key} must be a secret of at least {ScrapeOptions.MinKeyLength} characters.")
        .ValidateOnStart();

    private static void AddHealthProbes(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<HealthEndpointOptions>()
            .BindSettings(HealthEndpointOptions.Section)
            .ValidateLimits(HealthEndpointOptions.Section);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<ReadinessProbe>();
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);
    }

    private static void AddHostFilter(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<HostFilterOptions>()
            .Configure<IConfiguration>((options, configuration) => options.Read(configuration))
            .Validate(
                options => options.IsValid(),
                $"{HostFilterOptions.Key} must be hosts without scheme and port, separated by semicolons, such as shop.example.com;*.example.org, or * "
                    + $"for any.")
            .ValidateOnStart();
        builder.Services.Configure<HostFilteringOptions>(options => options.AllowedHosts = ["*"]);
    }

    private static bool IsProbe(PathString path) =>
        path.Equals(HealthPath, StringComparison.OrdinalIgnoreCase) || path.Equals(AlivePath, StringComparison.OrdinalIgnoreCase);

    // https://opentelemetry.io/docs/specs/semconv/resource/
    private static Dictionary<string, object> ResourceAttributes(IHostEnvironment environment)
    {
        var attributes = new Dictionary<string, object>
        {
            ["service.name"] = environment.ApplicationName,
            ["deployment.environment.name"] = environment.EnvironmentName,
            ["host.name"] = Environment.MachineName,
            ["process.pid"] = Environment.ProcessId,
        };
        var version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        if (version is not null)
        {
            attributes["service.version"] = version;
        }

        return attributes;
    }
}
