using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>What an app host is started with in a test, unless the test says otherwise: no dashboard, free ports, all in the log.</summary>
internal static class TestDefaults
{
    public static void Apply(
        DistributedApplicationOptions options,
        HostApplicationBuilderSettings hostOptions,
        Assembly? appHost,
        string[] args)
    {
        hostOptions.Args = [.. hostOptions.Args ?? [], .. args];
        options.DisableDashboard = true;
        options.EnableResourceLogging = true;
        if (appHost is not null)
        {
            options.AssemblyName = appHost.GetName().Name;
            hostOptions.ApplicationName ??= options.AssemblyName;
        }

        // Below everything else: settings files, the environment and the command line win.
        var defaults = new Dictionary<string, string?>
        {
            ["DcpPublisher:RandomizePorts"] = "true",
            ["DcpPublisher:WaitForResourceCleanup"] = "true",
            ["DcpPublisher:ContainerRuntimeInitializationTimeout"] = "00:00:30",
            ["ASPNETCORE_URLS"] = "http://localhost:8080",
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = "http://localhost:4317",
            ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
        };
        var directory = Metadata(appHost, "apphostprojectpath");
        if (directory is not null)
        {
            if (Directory.Exists(directory))
            {
                hostOptions.ContentRootPath ??= directory;
            }

            ApplyLaunchProfile(hostOptions, defaults, Path.Combine(directory, Metadata(appHost, "apphostprojectname") ?? ""));
        }

        hostOptions.Configuration ??= new ConfigurationManager();
        var sources = ((IConfigurationBuilder)hostOptions.Configuration).Sources;
        sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = defaults });
    }

    public static string[] Checked(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        return Array.TrueForAll(args, arg => !string.IsNullOrEmpty(arg))
            ? args
            : throw new ArgumentException("An argument is null or empty.", nameof(args));
    }

    public static string? Metadata(Assembly? assembly, string key)
        => assembly?.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(a => string.Equals(a.Key, key, StringComparison.OrdinalIgnoreCase))?.Value;

    private static void ApplyLaunchProfile(
        HostApplicationBuilderSettings hostOptions,
        Dictionary<string, string?> defaults,
        string projectPath)
    {
        var environment = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        if (LaunchProfiles.Choose(new AppHostProject(projectPath), environment, new ProjectResourceOptions()) is not { } chosen)
        {
            return;
        }

        // As the process would have them; only the URLs stay those of a test, since the profile's ports may be in use.
        foreach (var (name, value) in chosen.Profile.EnvironmentVariables)
        {
            if (name is not ("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL" or "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"))
            {
                defaults[name.Replace("__", ":", StringComparison.Ordinal)] = value;
            }
        }

        var named = chosen.Profile.EnvironmentVariables;
        if (Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") is null
            && Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") is null)
        {
            hostOptions.EnvironmentName ??= named.GetValueOrDefault("DOTNET_ENVIRONMENT") ?? named.GetValueOrDefault("ASPNETCORE_ENVIRONMENT");
        }
    }

    private sealed class AppHostProject(string projectPath) : IProjectMetadata
    {
        public string ProjectPath => projectPath;
    }
}
