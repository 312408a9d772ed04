using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Auditing;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;
using Platform.Hosting.Servers;
using Platform.Monitoring;

namespace Platform.AppHost.Monitoring;

internal static class MonitoringExtensions
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    /// <summary>
    /// Adds Prometheus, Alertmanager and the monitor, which watch the others and each other. Prometheus and Alertmanager are Debian's, from the monitoring
    /// image; their configuration is written when they start.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="options">The settings.</param>
    /// <param name="services">Services with an endpoint <c>http</c>, which show Prometheus what they measure.</param>
    public static IResourceBuilder<ProjectResource> AddMonitoring(
        this IDistributedApplicationBuilder builder, PlatformOptions options, params IResourceBuilder<ProjectResource>[] services)
    {
        var channels = ChannelsOf(builder);
        var times = options.MonitoringTimes;
        var directory = Path.Combine(options.DataDirectory, "monitoring");
        var heartbeatKey = builder.AddGeneratedSecret($"{ResourceNames.Monitor}-heartbeat-key", length: 32);
        var pagePassword = builder.AddGeneratedSecret($"{ResourceNames.Monitor}-password", length: 22);
        var scrapeKey = builder.AddGeneratedSecret("scrape-key", length: 32);
        foreach (var service in services)
        {
            service.WithEnvironment(SettingNames.MetricsScrapeKey, scrapeKey);
        }

        var portsFile = Path.Combine(directory, "ports");
        // Kept from start to start, so that an address in a browser stays right.
        var ports = FreePorts.FindKept(2, portsFile);
        OwnerOnly.MakeDirectory(directory);
        FreePorts.Keep(ports, portsFile);

        var alertmanager = AddServer(
            builder, ResourceNames.Alertmanager, "prometheus-alertmanager", ports[0], options, Mounts(channels),
            [
                $"--config.file={AlertmanagerConfiguration.File}", "--storage.path=data",
                // Empty, or it listens for other Alertmanagers on every address.
                "--cluster.listen-address=",
                // By whom each channel's notifications were counted: 'alerts test' reads it.
                "--enable-feature=receiver-name-in-metrics",
            ])
            .WithIconName("AlertUrgent");
        var prometheus = AddServer(
            builder, ResourceNames.Prometheus, "prometheus", ports[1], options, [],
            [
                $"--config.file={PrometheusConfiguration.File}", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=15d",
                $"--rules.alert.resend-delay={MonitoringTimes.Text(times.Resend)}",
            ])
            .WithIconName("PulseSquare");

        var monitor = builder.AddService<Projects.Monitor>(ResourceNames.Monitor)
            .WithArgs("serve")
            .WithEnvironment(SettingNames.MonitorPrometheus, prometheus.Resource.ConnectionStringExpression)
            .WithEnvironment(SettingNames.MonitorAlertmanager, alertmanager.Resource.ConnectionStringExpression)
            .WithEnvironment(SettingNames.MonitorHeartbeatKey, heartbeatKey)
            .WithEnvironment(SettingNames.MonitorPagePassword, pagePassword)
            .WithEnvironment(SettingNames.MonitorInterval, Text(times.Interval))
            .WithEnvironment(SettingNames.MonitorProbe, Text(times.Probe))
            .WithEnvironment(SettingNames.MonitorSilence, Text(times.Silence))
            .WithEnvironment($"{SettingNames.MonitorDirectories}__data", options.DataDirectory)
            .WithAudit(options)
            .WithHttpEndpoint()
            .WithProbes()
            .WithUrlForEndpoint("http", url => url.DisplayText = "Monitoring (login: ./platform info monitoring)")
            .WithIconName("DataTrending");
        var http = monitor.GetEndpoint("http");
        monitor.WithAnnotation(new StackEntry("monitoring", async cancellationToken =>
            $"http://{MonitorPaths.User}:{await pagePassword.Resource.GetValueAsync(cancellationToken)}@{await AddressOfAsync(http, cancellationToken)}"));
        if (options.Parts.Contains(Part.Backup))
        {
            monitor.WithEnvironment($"{SettingNames.MonitorDirectories}__backup", options.BackupDirectory);
        }

        foreach (var (key, value) in OfSection(builder))
        {
            monitor.WithEnvironment(key, value);
        }

        alertmanager.OnBeforeResourceStarted(async (server, _, cancellationToken) =>
        {
            var home = HomeOf(options, server.Name);
            var heartbeat = $"http://{await AddressOfAsync(http, cancellationToken)}{MonitorPaths.Heartbeat}";
            WriteJson(home, AlertmanagerConfiguration.File, AlertmanagerConfiguration.Create(times, channels, heartbeat));
            await WriteSecretAsync(home, AlertmanagerConfiguration.HeartbeatKeyFile, heartbeatKey.Resource, cancellationToken);
            await WriteLoginAsync(home, server, cancellationToken);
        });
        prometheus.OnBeforeResourceStarted(async (server, _, cancellationToken) =>
        {
            var home = HomeOf(options, server.Name);
            OwnerOnly.MakeDirectory(Path.Combine(home, PrometheusConfiguration.TargetsDirectory));
            OwnerFile.WriteIfOther(Path.Combine(home, PrometheusConfiguration.RulesFile), await File.ReadAllTextAsync(options.AlertRules, cancellationToken));
            (ScrapeJob Job, EndpointReference Endpoint)[] jobs =
            [
                (new(ResourceNames.Monitor), http),
                (new(ResourceNames.Prometheus, HasLogin: true), server.Endpoint),
                (new(ResourceNames.Alertmanager, HasLogin: true), alertmanager.Resource.Endpoint),
                .. services.Select(service => (new ScrapeJob(service.Resource.Name, HasKey: true), service.GetEndpoint("http"))),
            ];
            WriteJson(home, PrometheusConfiguration.File, PrometheusConfiguration.Create(times, jobs.Select(job => job.Job)));
            foreach (var (job, endpoint) in jobs)
            {
                WriteJson(
                    home, PrometheusConfiguration.TargetsOf(job.Name), PrometheusConfiguration.Targets(await AddressOfAsync(endpoint, cancellationToken)));
            }

            await WriteSecretAsync(home, PrometheusConfiguration.ScrapeKeyFile, scrapeKey.Resource, cancellationToken);

            foreach (var other in (MonitoringServerResource[])[server, alertmanager.Resource])
            {
                await WriteSecretAsync(home, PrometheusConfiguration.PasswordOf(other.Name), other.Password, cancellationToken);
            }

            await WriteLoginAsync(home, server, cancellationToken);
        });

        return monitor;
    }

    private static IResourceBuilder<MonitoringServerResource> AddServer(
        IDistributedApplicationBuilder builder, string name, string program, int port, PlatformOptions options, IEnumerable<string> mounts,
        IEnumerable<string> arguments)
    {
        var password = builder.AddGeneratedSecret($"{name}-password", length: 22);
        var home = HomeOf(options, name);
        var resource = new MonitoringServerResource(name, Path.Combine(options.NativeScripts, "in-image"), options.NativeScripts, password.Resource);
        var check = new ReadyHealthCheck(resource);
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration($"{name}_check", check, failureStatus: HealthStatus.Unhealthy, tags: null));
        return builder.AddResource(resource)
            .WithArgs([
                options.MonitoringImage, "prometheus", "TERM", "--bind", home, "/mnt", "--chdir", "/mnt", .. mounts, "--", program, .. arguments,
                $"--web.config.file={WebLogin.File}", string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
            ])
            // Its port is in the configuration of others, and stays the same.
            .WithEndpoint(
                MonitoringServerResource.EndpointName,
                endpoint => (endpoint.UriScheme, endpoint.Port, endpoint.TargetPort, endpoint.IsProxied) = ("http", port, port, false))
            .WithHealthCheck($"{name}_check")
            .WithStackEntry(name);
    }

    // The image has no names of other machines, no authorities, and none of this machine's files: mail and webhooks need them.
    private static IEnumerable<string> Mounts(ChannelSettings channels) =>
    [
        "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf", "--ro-bind-try", "/etc/hosts", "/etc/hosts",
        "--ro-bind-try", "/etc/ssl/certs/ca-certificates.crt", "/run/authorities.crt", "--setenv", "SSL_CERT_FILE", "/run/authorities.crt",
        .. channels.SecretFiles.SelectMany(secret => (string[])["--ro-bind", secret.File, AlertmanagerConfiguration.SecretOf(secret.Channel)]),
    ];

    private static ChannelSettings ChannelsOf(IDistributedApplicationBuilder builder)
    {
        var channels = builder.Configuration.GetSection(SettingNames.Monitor).Get<ChannelSettings>() ?? new();
        return channels.Problems().FirstOrDefault() is { } problem ? throw new DistributedApplicationException(problem) : channels;
    }

    // What is set of the monitor's section is handed on: it checks it, and names what is wrong.
    private static IEnumerable<KeyValuePair<string, string>> OfSection(IDistributedApplicationBuilder builder) =>
        builder.Configuration.GetSection(SettingNames.Monitor).AsEnumerable()
            .Where(setting => setting.Value is not null)
            .Select(setting => KeyValuePair.Create(setting.Key.Replace(":", "__", StringComparison.Ordinal), setting.Value!));

    private static string HomeOf(PlatformOptions options, string server)
    {
        var home = Path.Combine(options.DataDirectory, "monitoring", server);
        OwnerOnly.MakeDirectory(home);
        return home;
    }

    private static async Task<string> AddressOfAsync(EndpointReference endpoint, CancellationToken cancellationToken) =>
        $"{await endpoint.Property(EndpointProperty.IPV4Host).GetValueAsync(cancellationToken)}:"
        + await endpoint.Property(EndpointProperty.Port).GetValueAsync(cancellationToken);

    private static void WriteJson(string home, string file, JsonNode content) =>
        OwnerFile.WriteIfOther(Path.Combine(home, file), content.ToJsonString(s_json) + "\n");

    private static async Task WriteSecretAsync(string home, string file, ParameterResource secret, CancellationToken cancellationToken) =>
        OwnerFile.WriteIfOther(Path.Combine(home, file), await secret.GetValueAsync(cancellationToken) ?? "");

    private static async Task WriteLoginAsync(string home, MonitoringServerResource server, CancellationToken cancellationToken)
    {
        var password = await server.Password.GetValueAsync(cancellationToken) ?? "";
        WriteJson(home, WebLogin.File, WebLogin.Create(MonitoringServerResource.User, password));
    }

    private static string Text(TimeSpan time) => time.ToString("c", CultureInfo.InvariantCulture);
}
