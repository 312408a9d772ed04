using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting.Dashboard;

/// <summary>The settings of the dashboard and of the resource service behind it.</summary>
internal sealed class DashboardOptions
{
    /// <summary>The title of the dashboard's pages.</summary>
    public required string ApplicationName { get; init; }

    /// <summary>The dashboard's program.</summary>
    public required string Path { get; init; }

    /// <summary>The addresses that browsers open; at least one.</summary>
    public required IReadOnlyList<BindAddress> FrontendAddresses { get; init; }

    /// <summary>The address for OTLP over gRPC.</summary>
    public required BindAddress OtlpGrpc { get; init; }

    /// <summary>The address for OTLP over HTTP.</summary>
    public required BindAddress OtlpHttp { get; init; }

    /// <summary>The address of the resource service; loopback only.</summary>
    public required BindAddress ResourceService { get; init; }

    /// <summary>The token of the login link; null: no login.</summary>
    public required string? BrowserToken { get; init; }

    /// <summary>The key for telemetry senders; null: none is asked.</summary>
    public required string? OtlpApiKey { get; init; }

    /// <summary>The key for the telemetry API of the dashboard; null: none is asked.</summary>
    public required string? DashboardApiKey { get; init; }

    /// <summary>The key for the resource service; null: none is asked.</summary>
    public required string? ResourceServiceApiKey { get; init; }

    /// <summary>Whether the dashboard itself is shown among the resources.</summary>
    public required bool ShowDashboardResource { get; init; }

    /// <summary>Settings of the app host that are handed to the dashboard as they are.</summary>
    public required IReadOnlyDictionary<string, string> PassedOn { get; init; }

    /// <summary>Reads the settings. Keys that are not set are made: 128 random bits.</summary>
    /// <exception cref="DistributedApplicationException">A setting is not valid; the message names it.</exception>
    public static DashboardOptions Read(
        IConfiguration configuration,
        DistributedApplicationOptions options,
        string applicationName,
        string? metadataPath)
    {
        var anonymous = configuration.GetValue("ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS", false);
        var allowHttp = options.AllowUnsecuredTransport || configuration.GetValue("ASPIRE_ALLOW_UNSECURED_TRANSPORT", false);
        var randomizePorts = configuration.GetValue("DcpPublisher:RandomizePorts", false);
        var path = configuration["DcpPublisher:DashboardPath"] ?? metadataPath;
        if (string.IsNullOrEmpty(path))
        {
            throw new DistributedApplicationException(
                "The path of the dashboard is not known: set DcpPublisher:DashboardPath, or disable the dashboard.");
        }

        if (!File.Exists(path))
        {
            throw new DistributedApplicationException(
                $"The dashboard '{path}' does not exist: install it, set DcpPublisher:DashboardPath, or disable the dashboard.");
        }

        var resourceService = Address("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", "DOTNET_RESOURCE_SERVICE_ENDPOINT_URL");
        if (!resourceService.IsLoopback || resourceService.Scheme != "http")
        {
            throw new DistributedApplicationException(
                $"ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL must be an http address on loopback, not '{resourceService}'.");
        }

        var frontend = (configuration["ASPNETCORE_URLS"] ?? "")
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(url => Parse("ASPNETCORE_URLS", url))
            .ToArray();
        if (frontend.Length == 0)
        {
            frontend = [BindAddress.AnyLoopbackPort];
        }

        DashboardOptions read = new()
        {
            ApplicationName = options.DashboardApplicationName ?? WithoutSuffix(applicationName),
            Path = path,
            FrontendAddresses = frontend,
            OtlpGrpc = Address("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "DOTNET_DASHBOARD_OTLP_ENDPOINT_URL"),
            OtlpHttp = Address("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", "DOTNET_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"),
            ResourceService = resourceService,
            BrowserToken = Key("AppHost:BrowserToken", "ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN"),
            OtlpApiKey = Key("AppHost:OtlpApiKey"),
            DashboardApiKey = Key("AppHost:DashboardApiKey"),
            ResourceServiceApiKey = Key("AppHost:ResourceService:ApiKey", "ASPIRE_DASHBOARD_RESOURCESERVICE_APIKEY"),
            ShowDashboardResource = configuration.GetValue("ASPIRE_SHOW_DASHBOARD_RESOURCES", false),
            PassedOn = configuration.AsEnumerable()
                .Where(kv => kv.Value is not null
                    && kv.Key.StartsWith("ASPIRE_DASHBOARD_", StringComparison.OrdinalIgnoreCase)
                    && !kv.Key.Equals("ASPIRE_DASHBOARD_CORS_ALLOWED_ORIGINS", StringComparison.OrdinalIgnoreCase))
                .ToDictionary(kv => kv.Key, kv => kv.Value!, StringComparer.OrdinalIgnoreCase),
        };
        foreach (var address in read.FrontendAddresses.Append(read.OtlpGrpc).Append(read.OtlpHttp))
        {
            if (address.Scheme == "http" && !address.IsLoopback && !allowHttp)
            {
                throw new DistributedApplicationException(
                    $"The dashboard would listen on '{address}', which others can reach, without TLS: use https or a loopback address, or "
                    + "set ASPIRE_ALLOW_UNSECURED_TRANSPORT to true.");
            }
        }

        // Where the official host leaves them, for the program and for what it passes on.
        configuration["AppHost:BrowserToken"] = read.BrowserToken;
        configuration["AppHost:OtlpApiKey"] = read.OtlpApiKey;
        configuration["AppHost:ResourceService:ApiKey"] = read.ResourceServiceApiKey;
        return read;

        BindAddress Address(params string[] keys)
            => keys.FirstOrDefault(k => !string.IsNullOrEmpty(configuration[k])) is { } key
                ? Parse(key, configuration[key]!)
                : BindAddress.AnyLoopbackPort;

        BindAddress Parse(string key, string url)
            => BindAddress.Parse(key, url) is var address && randomizePorts ? address with { Port = 0 } : address;

        string? Key(params string[] keys)
            => anonymous
                ? null
                : keys.Select(k => configuration[k]).FirstOrDefault(v => !string.IsNullOrEmpty(v))
                    ?? RandomNumberGenerator.GetHexString(32, lowercase: true);
    }

    private static string WithoutSuffix(string name)
    {
        const string suffix = "AppHost";
        return name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)
            ? name[..^suffix.Length].TrimEnd('.')
            : name;
    }
}
