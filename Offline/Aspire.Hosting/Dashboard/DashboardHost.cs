using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dashboard;

/// <summary>
/// Runs the dashboard's program as the hidden resource <c>aspire-dashboard</c>, with the resource service that it reads from, and says
/// where it can be opened. Nothing waits for it: other resources start meanwhile.
/// </summary>
internal sealed partial class DashboardHost(
    DashboardOptions options,
    ResourceServiceServer server,
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    IHttpClientFactory httpClients,
    IHostEnvironment environment,
    ILogger<DistributedApplication> logger) : IDashboardEndpoints, IDistributedApplicationEventingSubscriber, IHostedService, IDisposable
{
    public const string ResourceName = "aspire-dashboard";
    public const string HttpClientName = "aspire-dashboard";

    private static readonly TimeSpan HealthInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan HealthTimeout = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource<string> _resourceServiceUrl = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<ExecutableResource> _resource = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private Task _announcement = Task.CompletedTask;

    public string? OtlpApiKey => options.OtlpApiKey;

    public string? ResourceServiceApiKey => options.ResourceServiceApiKey;

    public string? BrowserToken => options.BrowserToken;

    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing,
        DistributedApplicationExecutionContext executionContext,
        CancellationToken cancellationToken)
    {
        if (executionContext.IsRunMode)
        {
            eventing.Subscribe<BeforeStartEvent>(BeforeStartAsync);
        }

        return Task.CompletedTask;
    }

    public async ValueTask<string?> GetOtlpGrpcUrlAsync(CancellationToken cancellationToken)
        => await UrlAsync("otlp-grpc", cancellationToken);

    public async ValueTask<string?> GetDashboardUrlAsync(CancellationToken cancellationToken)
        => await UrlAsync((await _resource.Task.WaitAsync(cancellationToken)).Annotations.OfType<EndpointAnnotation>().First().Name, cancellationToken);

    public async ValueTask<string?> GetResourceServiceUrlAsync(CancellationToken cancellationToken)
        => await _resourceServiceUrl.Task.WaitAsync(cancellationToken);

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    async Task IHostedService.StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _announcement;
        await server.DisposeAsync();
    }

    public void Dispose() => _stopping.Dispose();

    private async Task BeforeStartAsync(BeforeStartEvent beforeStart, CancellationToken cancellationToken)
    {
        if (model.Resources.TryGetByName(ResourceName, out _))
        {
            throw new DistributedApplicationException($"The resource name '{ResourceName}' is taken by the dashboard.");
        }

        var resource = CreateResource();
        model.Resources.Insert(0, resource);
        _resource.SetResult(resource);
        try
        {
            _resourceServiceUrl.SetResult(await server.StartAsync(cancellationToken));
        }
        catch (IOException ex)
        {
            throw new DistributedApplicationException(
                $"The resource service cannot listen on {options.ResourceService}: {ex.Message}", ex);
        }

        _announcement = AnnounceAsync(_stopping.Token);
    }

    private ExecutableResource CreateResource()
    {
        var resource = new ExecutableResource(ResourceName, options.Path, Path.GetDirectoryName(options.Path) ?? "");
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var address in options.FrontendAddresses)
        {
            // The second address of a scheme is named http2, as for projects.
            var number = names[address.Scheme] = names.GetValueOrDefault(address.Scheme) + 1;
            AddEndpoint(address, number == 1 ? address.Scheme : address.Scheme + number.ToString(CultureInfo.InvariantCulture));
        }

        AddEndpoint(options.OtlpGrpc, "otlp-grpc");
        AddEndpoint(options.OtlpHttp, "otlp-http");
        resource.Annotations.Add(new CommandLineArgsCallbackAnnotation(args => args.Add("dashboard")));
        resource.Annotations.Add(new EnvironmentCallbackAnnotation(context => AddEnvironmentAsync(resource, context)));
        resource.Annotations.Add(new ResourceSnapshotAnnotation(new CustomResourceSnapshot
        {
            ResourceType = KnownResourceTypes.Executable,
            Properties = [],
            IsHidden = !options.ShowDashboardResource,
        }));
        return resource;

        // Without a proxy: one hop less for telemetry, and a taken port is the dashboard's own clear error.
        void AddEndpoint(BindAddress address, string name)
            => resource.Annotations.Add(new EndpointAnnotation(
                System.Net.Sockets.ProtocolType.Tcp,
                uriScheme: address.Scheme,
                name: name,
                port: address.Port == 0 ? null : address.Port,
                isProxied: false)
            {
                TargetHost = address.Host,
            });
    }

    private async Task AddEnvironmentAsync(ExecutableResource resource, EnvironmentCallbackContext context)
    {
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        var variables = context.EnvironmentVariables;
        foreach (var (name, value) in options.PassedOn)
        {
            variables[name] = value;
        }

        var frontend = new List<string>();
        foreach (var endpoint in endpoints.Where(e => !e.Name.StartsWith("otlp-", StringComparison.Ordinal)))
        {
            frontend.Add(await UrlAsync(endpoint, context.CancellationToken));
        }

        variables["ASPNETCORE_URLS"] = string.Join(';', frontend);
        variables["ASPNETCORE_ENVIRONMENT"] = environment.EnvironmentName;
        variables["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = await UrlAsync("otlp-grpc", context.CancellationToken);
        variables["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = await UrlAsync("otlp-http", context.CancellationToken);
        variables["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = await _resourceServiceUrl.Task.WaitAsync(context.CancellationToken);
        variables["LOGGING__CONSOLE__FORMATTERNAME"] = "simple";

        // The dashboard ends when this process does, whatever becomes of the orchestrator.
        variables["ASPIRE_CLI_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Secure("DASHBOARD__RESOURCESERVICECLIENT", "APIKEY", "ApiKey", options.ResourceServiceApiKey);
        Secure("DASHBOARD__FRONTEND", "BROWSERTOKEN", "BrowserToken", options.BrowserToken);
        Secure("DASHBOARD__OTLP", "PRIMARYAPIKEY", "ApiKey", options.OtlpApiKey);
        Secure("DASHBOARD__API", "PRIMARYAPIKEY", "ApiKey", options.DashboardApiKey);

        void Secure(string section, string keyName, string mode, string? key)
        {
            variables[$"{section}__AUTHMODE"] = key is null ? "Unsecured" : mode;
            if (key is not null)
            {
                variables[$"{section}__{keyName}"] = key;
            }
        }
    }

    private async Task<string> UrlAsync(string endpointName, CancellationToken cancellationToken)
    {
        var resource = await _resource.Task.WaitAsync(cancellationToken);
        return await UrlAsync(resource.Annotations.OfType<EndpointAnnotation>().Single(e => e.Name == endpointName), cancellationToken);
    }

    private static async Task<string> UrlAsync(EndpointAnnotation endpoint, CancellationToken cancellationToken)
    {
        var allocated = await endpoint.AllocatedEndpointSnapshot.GetValueAsync(cancellationToken);

        // The host as it was configured (localhost, 0.0.0.0); the port may have been chosen.
        return new BindAddress(endpoint.UriScheme, endpoint.TargetHost, allocated.Port).ToString();
    }

    private async Task AnnounceAsync(CancellationToken cancellationToken)
    {
        try
        {
            // The first address that can be opened as it stands.
            var url = (await GetDashboardUrlAsync(cancellationToken))!
                .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
                .Replace("://[::]", "://localhost", StringComparison.Ordinal);
            var answers = AnswersAsync(new Uri(url + "/health"), cancellationToken);
            var ends = notifications.WaitForResourceAsync(
                ResourceName,
                e => KnownResourceStates.TerminalStates.Contains(e.Snapshot.State?.Text),
                cancellationToken);
            if (await Task.WhenAny(answers, ends) == ends)
            {
                var end = await ends;
                LogEnded(logger, end.Resource.Name, notifications.Describe(end.Resource.Name, [end.ResourceId]));
                return;
            }

            await answers;
            LogListening(logger, url);
            if (options.BrowserToken is { } token)
            {
                LogLogin(logger, url, token);
            }
        }
        catch (OperationCanceledException)
        {
            // The app host stops before the dashboard answers.
        }
    }

    private async Task AnswersAsync(Uri health, CancellationToken cancellationToken)
    {
        using var client = httpClients.CreateClient(HttpClientName);
        client.Timeout = HealthTimeout;
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(health, cancellationToken);
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception ex) when (ex is HttpRequestException
                || (ex is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // It does not listen yet, or is too busy starting to answer in time.
            }

            await Task.Delay(HealthInterval, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Now listening on: {DashboardUrl}")]
    private static partial void LogListening(ILogger logger, string dashboardUrl);

    [LoggerMessage(Level = LogLevel.Information, Message = "Login to the dashboard at {DashboardUrl}/login?t={BrowserToken}")]
    private static partial void LogLogin(ILogger logger, string dashboardUrl, string browserToken);

    [LoggerMessage(Level = LogLevel.Error, Message = "The dashboard ('{Resource}') has ended; the other resources run on without it.\n{Details}")]
    private static partial void LogEnded(ILogger logger, string resource, string details);
}
