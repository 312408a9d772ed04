using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>Makes resources send telemetry to the dashboard.</summary>
public static class OtlpConfigurationExtensions
{
    private const string FallbackEndpoint = "http://localhost:18889";

    /// <summary>Gives the resource the <c>OTEL_</c> variables that lead to the dashboard; projects have them already.</summary>
    public static IResourceBuilder<T> WithOtlpExporter<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Resource.HasAnnotationOfType<OtlpExporterAnnotation>())
        {
            return builder;
        }

        var configuration = builder.ApplicationBuilder.Configuration;
        var environment = builder.ApplicationBuilder.Environment;
        return builder
            .WithAnnotation(new OtlpExporterAnnotation())
            .WithAnnotation(new EnvironmentCallbackAnnotation(context => AddVariablesAsync(context, configuration, environment)));
    }

    private static async Task AddVariablesAsync(EnvironmentCallbackContext context, ConfigurationManager configuration, IHostEnvironment environment)
    {
        var dashboard = context.ExecutionContext.ServiceProvider.GetService<IDashboardEndpoints>();
        var endpoint = dashboard is null ? null : await dashboard.GetOtlpGrpcUrlAsync(context.CancellationToken);
        var key = dashboard is null ? configuration["AppHost:OtlpApiKey"] : dashboard.OtlpApiKey;
        var variables = context.EnvironmentVariables;
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
            ?? configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"]
            ?? configuration["DOTNET_DASHBOARD_OTLP_ENDPOINT_URL"]
            ?? FallbackEndpoint;
        variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
        variables["OTEL_SERVICE_NAME"] = context.Resource.Name;
        if (!string.IsNullOrEmpty(key))
        {
            variables["OTEL_EXPORTER_OTLP_HEADERS"] = $"x-otlp-api-key={key}";
        }

        if (!environment.IsDevelopment())
        {
            return;
        }

        // Development: everything, at once.
        foreach (var delay in (string[])["OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"])
        {
            variables[delay] = 1000.ToString(CultureInfo.InvariantCulture);
        }

        variables["OTEL_TRACES_SAMPLER"] = "always_on";
        variables["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
        variables["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true";
    }
}
