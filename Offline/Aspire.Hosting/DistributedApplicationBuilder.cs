using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Aspire.Hosting.Dcp;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Health;
using Aspire.Hosting.Orchestration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.UserSecrets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

/// <inheritdoc cref="IDistributedApplicationBuilder" />
public class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private readonly HostApplicationBuilder _host;
    private readonly DistributedApplicationOptions _options;
    private readonly DistributedApplicationExecutionContextOptions _executionContextOptions;
    private bool _built;

    /// <summary>Creates a builder.</summary>
    public DistributedApplicationBuilder(string[] args)
        : this(new DistributedApplicationOptions { Args = args })
    {
    }

    /// <summary>Creates a builder.</summary>
    public DistributedApplicationBuilder(DistributedApplicationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        var settings = new HostApplicationBuilderSettings { Args = options.Args };
        BuilderDiagnostics.Write(BuilderDiagnostics.Constructing, new BuilderDiagnostics.BuilderConstructing(options, settings));

        AppHostAssembly = FindAssembly(options.AssemblyName);
        AppHostDirectory = options.ProjectDirectory
            ?? AppHostInfo.Find(AppHostAssembly, "apphostprojectpath")
            ?? Directory.GetCurrentDirectory();
        settings.ContentRootPath ??= Directory.Exists(AppHostDirectory) ? AppHostDirectory : AppContext.BaseDirectory;
        settings.ApplicationName ??= AppHostAssembly?.GetName().Name;
        _host = new HostApplicationBuilder(settings);

        // Generated secrets must be found again by the next run, whatever the environment is called; the host loads them in Development only.
        var userSecretsId = AppHostAssembly?.GetCustomAttribute<UserSecretsIdAttribute>()?.UserSecretsId;
        UserSecretsManager = new UserSecretsManager(userSecretsId);
        AddUserSecrets(_host.Configuration, UserSecretsManager);

        var appHost = new AppHostInfo(AppHostAssembly, AppHostDirectory, NameOf(options, AppHostAssembly));
        _executionContextOptions = new DistributedApplicationExecutionContextOptions(DistributedApplicationOperation.Run);
        ExecutionContext = new DistributedApplicationExecutionContext(_executionContextOptions);
        Eventing = new DistributedApplicationEventing();
        AddServices(appHost);
        if (!options.DisableDashboard)
        {
            DashboardRegistration.AddDashboard(this, options);
        }

        BuilderDiagnostics.Write(BuilderDiagnostics.Constructed, this);
    }

    /// <inheritdoc />
    public ConfigurationManager Configuration => _host.Configuration;

    /// <inheritdoc />
    public string AppHostDirectory { get; }

    /// <inheritdoc />
    public Assembly? AppHostAssembly { get; }

    /// <inheritdoc />
    public IHostEnvironment Environment => _host.Environment;

    /// <inheritdoc />
    public IServiceCollection Services => _host.Services;

    /// <inheritdoc />
    public IDistributedApplicationEventing Eventing { get; }

    /// <inheritdoc />
    public IUserSecretsManager UserSecretsManager { get; }

    /// <inheritdoc />
    public DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <inheritdoc />
    public IResourceCollection Resources { get; } = new ResourceCollection();

    /// <inheritdoc />
    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
    {
        ArgumentNullException.ThrowIfNull(resource);
        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    /// <inheritdoc />
    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource
    {
        ArgumentNullException.ThrowIfNull(resource);
        return new DistributedApplicationResourceBuilder<T>(this, resource);
    }

    /// <inheritdoc />
    /// <exception cref="InvalidOperationException">It was built already.</exception>
    public DistributedApplication Build()
    {
        BuilderDiagnostics.Write(BuilderDiagnostics.Building, this);
        if (_built)
        {
            throw new InvalidOperationException("The application has been built already.");
        }

        _built = true;

        // Last, so that services of the app host hear of every change of a resource; first to stop, through IHostedLifecycleService.
        Services.AddHostedService<ResourceHealthCheckService>();
        Services.AddHostedService(services => services.GetRequiredService<ApplicationOrchestrator>());
        var host = _host.Build();
        _executionContextOptions.ServiceProvider = host.Services;
        var application = new DistributedApplication(host);
        BuilderDiagnostics.Write(BuilderDiagnostics.Built, application);
        return application;
    }

    private void AddServices(AppHostInfo appHost)
    {
        var configuration = new Dictionary<string, string?>
        {
            ["AppHost:Directory"] = AppHostDirectory,
            ["AppHost:DashboardApplicationName"] = _options.DashboardApplicationName ?? appHost.Name,
        };
        Configuration.AddInMemoryCollection(configuration);

        Services.AddSingleton(appHost);
        Services.AddSingleton(_options);
        Services.AddSingleton(ExecutionContext);
        Services.AddSingleton(Eventing);
        Services.AddSingleton(UserSecretsManager);
        Services.AddSingleton(_ => new DistributedApplicationModel(Resources));
        Services.AddResourceObservation(forwardLogs: _options.EnableResourceLogging);
        Services.AddSingleton<DcpExecutor>();
        Services.AddSingleton<ApplicationOrchestrator>();
        Services.TryAddSingleton(TimeProvider.System);
        Services.AddHealthChecks();
        Services.Configure<ResourceNotificationServiceOptions>(options =>
        {
            if (!_options.DisableDashboard)
            {
                options.DefaultWaitBehavior = WaitBehavior.WaitOnResourceUnavailable;
            }
        });
        // What a check found is in the resource's health reports; the log would repeat it at every try.
        Services.AddLogging(logging => logging
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None) // the exception itself reaches the caller
            .AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
            .AddFilter("System.Net.Http", LogLevel.Warning));
    }

    private static void AddUserSecrets(ConfigurationManager configuration, IUserSecretsManager secrets)
    {
        if (!secrets.IsAvailable)
        {
            return;
        }

        // After the appsettings files, before environment and command line.
        var source = new Microsoft.Extensions.Configuration.Json.JsonConfigurationSource { Path = secrets.FilePath, Optional = true, ReloadOnChange = false };
        source.ResolveFileProvider();
        var sources = ((IConfigurationBuilder)configuration).Sources;
        var lastFile = sources.ToList().FindLastIndex(s => s is Microsoft.Extensions.Configuration.Json.JsonConfigurationSource);
        sources.Insert(lastFile + 1, source);
    }

    private static Assembly? FindAssembly(string? name)
        => name is null ? Assembly.GetEntryAssembly() : AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == name) ?? Assembly.Load(name);

    private static string NameOf(DistributedApplicationOptions options, Assembly? assembly)
    {
        var name = AppHostInfo.Find(assembly, "apphostprojectname") is { } project
            ? Path.GetFileNameWithoutExtension(project)
            : options.AssemblyName ?? assembly?.GetName().Name ?? "AppHost";
        name = assembly?.GetName().Name ?? name;
        foreach (var suffix in (string[])[".AppHost", "AppHost"])
        {
            if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            {
                return name[..^suffix.Length];
            }
        }

        return name;
    }
}
