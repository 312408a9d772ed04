using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>Adds .NET projects to the graph.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project that the app host's project references.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, [ResourceName] string name)
        where TProject : IProjectMetadata, new()
        => builder.AddProject<TProject>(name, _ => { });

    /// <summary>Adds a project with a launch profile; null: none.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        string? launchProfileName)
        where TProject : IProjectMetadata, new()
        => builder.AddProject<TProject>(name, options =>
        {
            options.ExcludeLaunchProfile = launchProfileName is null;
            options.LaunchProfileName = launchProfileName;
        });

    /// <summary>Adds a project.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        Action<ProjectResourceOptions> configure)
        where TProject : IProjectMetadata, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new ProjectResourceOptions();
        configure(options);
        var project = new TProject();
        var resource = builder.AddResource(new ProjectResource(name)).WithAnnotation<IProjectMetadata>(project);
        resource.WithOtlpExporter().AddDefaultVariables(builder.Environment);
        if (LaunchProfiles.Choose(project, builder.Configuration, options) is { } chosen)
        {
            resource.UseLaunchProfile(chosen.Name, chosen.Profile);
        }
        else if (options.ExcludeLaunchProfile)
        {
            resource.WithAnnotation(new ExcludeLaunchProfileAnnotation());
        }

        return resource.TellUrls();
    }

    /// <summary>Runs several copies; their endpoints must be proxied and without a fixed target port.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);
    }

    private static IResourceBuilder<ProjectResource> AddDefaultVariables(this IResourceBuilder<ProjectResource> resource, IHostEnvironment environment)
        => resource.WithEnvironment(context =>
        {
            var variables = context.EnvironmentVariables;
            variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
            variables["LOGGING__CONSOLE__FORMATTERNAME"] = "simple";
            variables["DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION"] = "true";
            if (environment.IsDevelopment())
            {
                variables["OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION"] = "true";
                variables["OTEL_DOTNET_EXPERIMENTAL_HTTPCLIENT_DISABLE_URL_QUERY_REDACTION"] = "true";
            }
        });

    private static void UseLaunchProfile(this IResourceBuilder<ProjectResource> resource, string name, LaunchProfile profile)
    {
        resource.WithAnnotation(new LaunchProfileAnnotation(name));
        resource.WithEnvironment(context =>
        {
            context.EnvironmentVariables.TryAdd("DOTNET_LAUNCH_PROFILE", name);
            foreach (var (key, value) in profile.EnvironmentVariables)
            {
                context.EnvironmentVariables.TryAdd(key, Environment.ExpandEnvironmentVariables(value));
            }
        });

        if (CommandLine.Split(profile.CommandLineArgs) is { Count: > 0 } args)
        {
            resource.WithArgs([.. args]);
        }

        var counts = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var url in (profile.ApplicationUrl ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            // Wildcard hosts are no valid URIs; for a port and a scheme any host will do.
            var address = new Uri(url.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal));
            var count = counts[address.Scheme] = counts.GetValueOrDefault(address.Scheme) + 1;
            var endpointName = count == 1 ? address.Scheme : string.Create(CultureInfo.InvariantCulture, $"{address.Scheme}{count}");
            resource.WithEndpoint(address.Port == 0 ? null : address.Port, scheme: address.Scheme, name: endpointName);
            if (!string.IsNullOrEmpty(profile.LaunchUrl))
            {
                resource.WithUrlForEndpoint(endpointName, shown => shown.Url = new Uri(new Uri(shown.Url), profile.LaunchUrl).ToString());
            }
        }
    }

    /// <summary>Tells the program what to bind, unless it gets its ports in variables of its own.</summary>
    private static IResourceBuilder<ProjectResource> TellUrls(this IResourceBuilder<ProjectResource> resource)
        => resource.WithEnvironment(context =>
        {
            var separate = resource.Resource.Annotations.OfType<EndpointEnvironmentVariableAnnotation>().Select(a => a.Endpoint).ToHashSet();
            var endpoints = resource.Resource.GetEndpoints()
                .Where(e => (e.IsHttp || e.IsHttps) && !separate.Contains(e.EndpointAnnotation))
                .ToArray();
            if (endpoints.Length == 0 || context.EnvironmentVariables.ContainsKey("ASPNETCORE_URLS"))
            {
                return;
            }

            var urls = new ReferenceExpressionBuilder();
            foreach (var endpoint in endpoints)
            {
                urls.AppendLiteral($"{(urls.IsEmpty ? "" : ";")}{endpoint.Scheme}://{endpoint.EndpointAnnotation.TargetHost}:");
                urls.AppendFormatted(endpoint.Property(EndpointProperty.TargetPort));
            }

            context.EnvironmentVariables["ASPNETCORE_URLS"] = urls.Build();
            if (endpoints.FirstOrDefault(e => e.IsHttps) is { } https)
            {
                context.EnvironmentVariables["ASPNETCORE_HTTPS_PORT"] = https.Property(EndpointProperty.Port);
            }
        });
}
