using System.Globalization;
using Microsoft.Extensions.Logging;
using Platform.AppHost.Services;
using YamlDotNet.RepresentationModel;

namespace Platform.AppHost.Publishing;

/// <summary>
/// The graph as a Compose file: its programs as services, in the order of their waits, and what a deployment has to say as
/// variables. It is the same wherever it is made: it has no secret, no path and no port of the machine.
/// </summary>
/// <remarks><see href="https://github.com/compose-spec/compose-spec/blob/main/spec.md"/></remarks>
internal sealed class ComposeFile(DistributedApplicationExecutionContext execution, ILogger logger)
{
    // Where ASP.NET's images listen, which run as a user that may not take a lower port.
    private const int ContainerPort = 8080;

    private const string Header = """
        # The platform on one host with Docker or Podman, made from the app graph by 'aspire publish'; docs/deployment.md says how it is used.
        # Its variables stand in the environment, or in a file .env beside this one.


        """;

    /// <summary>Makes the file.</summary>
    /// <param name="resources">The resources of the graph; those that are no programs of ours are left out.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="DistributedApplicationException">A program needs something that a Compose file cannot say.</exception>
    public async Task<string> WriteAsync(IEnumerable<IResource> resources, CancellationToken cancellationToken)
    {
        var services = new YamlMappingNode();
        foreach (var project in resources.OfType<ProjectResource>())
        {
            services.Add(project.Name, await ServiceAsync(project, cancellationToken));
        }

        var document = new YamlDocument(new YamlMappingNode("services", services));
        await using var writer = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        await writer.WriteAsync(Header.ReplaceLineEndings("\n"));
        new YamlStream(document).Save(writer, assignAnchors: false);
        // The writer ends a document with its mark, which one alone does not need.
        return writer.ToString().ReplaceLineEndings("\n").Replace("\n...\n", "\n", StringComparison.Ordinal);
    }

    private async Task<YamlMappingNode> ServiceAsync(ProjectResource project, CancellationToken cancellationToken)
    {
        var isJob = project.Annotations.OfType<JobAnnotation>().Any();
        var service = new YamlMappingNode
        {
            { "image", Required($"{Variable(project.Name)}_IMAGE", $"the image of {project.Name}, with its version") },
        };
        if (await ArgumentsAsync(project, cancellationToken) is { Count: > 0 } arguments)
        {
            service.Add("command", List(arguments));
        }

        if (await EnvironmentAsync(project, cancellationToken) is { Children.Count: > 0 } environment)
        {
            service.Add("environment", environment);
        }

        if (Waits(project) is { Children.Count: > 0 } waits)
        {
            service.Add("depends_on", waits);
        }

        if (project.Annotations.OfType<EndpointAnnotation>().Any())
        {
            // On the loopback address unless somebody says otherwise: a proxy with TLS is to stand before it.
            service.Add("ports", List([string.Create(
                CultureInfo.InvariantCulture, $"${{{Variable(project.Name)}_ADDRESS:-127.0.0.1:8080}}:{ContainerPort}")]));
        }

        if (HealthCheck(project) is { } check)
        {
            service.Add("healthcheck", check);
        }

        service.Add("restart", isJob ? "on-failure:3" : "unless-stopped");
        service.Add("read_only", "true");
        service.Add("tmpfs", List(["/tmp"]));
        service.Add("cap_drop", List(["ALL"]));
        service.Add("security_opt", List(["no-new-privileges:true"]));
        return service;
    }

    private async Task<List<string>> ArgumentsAsync(ProjectResource project, CancellationToken cancellationToken)
    {
        var context = new CommandLineArgsCallbackContext([], project, cancellationToken) { ExecutionContext = execution, Logger = logger };
        foreach (var annotation in project.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return [.. context.Args.Select(argument => Text(argument, project.Name))];
    }

    private async Task<YamlMappingNode> EnvironmentAsync(ProjectResource project, CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext(execution, project, cancellationToken: cancellationToken) { Logger = logger };
        foreach (var annotation in project.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        var environment = new YamlMappingNode();
        foreach (var (name, value) in context.EnvironmentVariables.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            environment.Add(name, Quoted(Text(value, name)));
        }

        return environment;
    }

    // What is not a service here, such as a database, is there before and is waited for by the programs themselves.
    private static YamlMappingNode Waits(ProjectResource project)
    {
        var waits = new YamlMappingNode();
        foreach (var wait in project.Annotations.OfType<WaitAnnotation>().Where(wait => wait.Resource is ProjectResource))
        {
            var condition = wait.WaitType == WaitType.WaitForCompletion ? "service_completed_successfully"
                : wait.WaitType == WaitType.WaitUntilStarted || HealthCheck((ProjectResource)wait.Resource) is null ? "service_started"
                : "service_healthy";
            waits.Add(wait.Resource.Name, new YamlMappingNode("condition", condition));
        }

        return waits;
    }

    // The images have bash and no curl.
    private static YamlMappingNode? HealthCheck(ProjectResource project)
    {
        if (project.Annotations.OfType<EndpointProbeAnnotation>().FirstOrDefault(probe => probe.Type == ProbeType.Readiness) is not { } probe)
        {
            return null;
        }

        var ask = $"exec 3<>/dev/tcp/127.0.0.1/{ContainerPort}; printf 'GET {probe.Path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3; "
            + "read -r answer <&3; [[ $$answer == *' 200 '* ]]";
        return new YamlMappingNode
        {
            { "test", List(["CMD", "bash", "-c", ask]) },
            { "interval", Seconds(probe.PeriodSeconds) },
            { "timeout", Seconds(probe.TimeoutSeconds) },
            { "retries", probe.FailureThreshold.ToString(CultureInfo.InvariantCulture) },
            { "start_period", "30s" },
        };
    }

    private static string Text(object value, string where) => value switch
    {
        // A dollar begins a variable.
        string text => text.Replace("$", "$$", StringComparison.Ordinal),
        ParameterResource parameter => VariableOf(parameter),
        IResourceBuilder<ParameterResource> parameter => VariableOf(parameter.Resource),
        ConnectionStringReference { Resource.ConnectionStringExpression: { ValueProviders: [ParameterResource parameter] } whole } reference
            when whole.Format == "{0}" && parameter.Name == reference.Resource.Name =>
                Required($"{Variable(parameter.Name)}_CONNECTION_STRING", $"the connection string of {parameter.Name}").Value!,
        ConnectionStringReference reference => Text(reference.Resource.ConnectionStringExpression, where),
        IResourceWithConnectionString resource => Text(resource.ConnectionStringExpression, where),
        ReferenceExpression expression => string.Format(
            CultureInfo.InvariantCulture,
            expression.Format.Replace("$", "$$", StringComparison.Ordinal),
            [.. expression.ValueProviders.Select(provider => Text(provider, where))]),
        EndpointReferenceExpression { Property: EndpointProperty.TargetPort or EndpointProperty.Port } => $"{ContainerPort}",
        EndpointReferenceExpression { Property: EndpointProperty.Host } expression => expression.Endpoint.Resource.Name,
        EndpointReference endpoint => $"http://{endpoint.Resource.Name}:{ContainerPort}",
        _ => throw new DistributedApplicationException(
            $"'{where}' is a {value.GetType().Name}, which a Compose file cannot say: give it as a parameter."),
    };

    // What may be left out has a default, which stands in the file.
    private static string VariableOf(ParameterResource parameter) => parameter.Default is { } known and not GenerateParameterDefault
        ? $"${{{Variable(parameter.Name)}:-{known.GetDefaultValue()}}}"
        : Required(Variable(parameter.Name), $"the parameter {parameter.Name} of the graph").Value!;

    private static YamlScalarNode Required(string variable, string what) => Quoted($"${{{variable}:?{what}}}");

    private static string Variable(string name) => name.Replace('-', '_').ToUpperInvariant();

    private static string Seconds(int seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds}s");

    private static YamlSequenceNode List(IEnumerable<string> items)
        => new(items.Select(item => (YamlNode)Quoted(item))) { Style = YamlDotNet.Core.Events.SequenceStyle.Block };

    private static YamlScalarNode Quoted(string text) => new(text) { Style = YamlDotNet.Core.ScalarStyle.DoubleQuoted };
}
