using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Offline;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dcp;

/// <summary>What to run for a resource, with every value known.</summary>
internal sealed record ProcessDefinition(
    string Command,
    string WorkingDirectory,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<KeyValuePair<string, string>> Environment)
{
    /// <summary>Runs the callbacks of the model and waits for the values.</summary>
    /// <exception cref="DistributedApplicationException">The program is missing, or a value cannot be had.</exception>
    public static async Task<ProcessDefinition> CreateAsync(
        IResource resource,
        ResourceInstance instance,
        DistributedApplicationExecutionContext executionContext,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        var variables = await GatherVariablesAsync(resource, executionContext, logger, cancellationToken);
        if (resource.HasAnnotationOfType<OtlpExporterAnnotation>())
        {
            // The dashboard links telemetry to the instance "{service.name}-{service.instance.id}".
            variables["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={instance.Suffix}";
        }

        var arguments = await GatherArgumentsAsync(resource, executionContext, logger, cancellationToken);
        var context = new ValueProviderContext { Caller = resource, ExecutionContext = executionContext };
        var environment = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in variables)
        {
            // A missing optional value leaves the variable out.
            if (await ResolveAsync(resource, $"the variable {name}", value, context, cancellationToken) is { } text)
            {
                environment.Add(KeyValuePair.Create(name, text));
            }
        }

        var resolved = new List<string>();
        foreach (var argument in arguments)
        {
            if (await ResolveAsync(resource, "an argument", argument, context, cancellationToken) is { } text)
            {
                resolved.Add(text);
            }
        }

        var (command, prefix, directory) = Program(resource);
        return new ProcessDefinition(command, directory, [.. prefix, .. resolved], environment);
    }

    private static async Task<Dictionary<string, object>> GatherVariablesAsync(
        IResource resource,
        DistributedApplicationExecutionContext executionContext,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext(executionContext, resource, cancellationToken: cancellationToken) { Logger = logger };
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return context.EnvironmentVariables;
    }

    private static async Task<List<object>> GatherArgumentsAsync(
        IResource resource,
        DistributedApplicationExecutionContext executionContext,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        var arguments = new List<object>();
        var context = new CommandLineArgsCallbackContext(arguments, resource, cancellationToken)
        {
            ExecutionContext = executionContext,
            Logger = logger,
        };
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return arguments;
    }

    private static async Task<string?> ResolveAsync(
        IResource resource,
        string what,
        object value,
        ValueProviderContext context,
        CancellationToken cancellationToken)
    {
        try
        {
            return value switch
            {
                string text => text,
                IResourceBuilder<IResource> { Resource: IValueProvider provider } => await provider.GetValueAsync(context, cancellationToken),
                IValueProvider provider => await provider.GetValueAsync(context, cancellationToken),
                IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
                _ => value.ToString(),
            };
        }
        catch (Exception ex) when (ex is DistributedApplicationException or InvalidOperationException)
        {
            throw new DistributedApplicationException($"The resource '{resource.Name}' cannot get {what}: {ex.Message}", ex);
        }
    }

    private static (string Command, IReadOnlyList<string> Prefix, string Directory) Program(IResource resource)
    {
        if (resource.TryGetLastAnnotation<ExecutableAnnotation>(out var executable))
        {
            return Directory.Exists(executable.WorkingDirectory)
                ? (executable.Command, [], executable.WorkingDirectory)
                : throw new DistributedApplicationException(
                    $"The working directory '{executable.WorkingDirectory}' of the resource '{resource.Name}' does not exist.");
        }

        if (!resource.TryGetLastAnnotation<IProjectMetadata>(out var project))
        {
            throw new DistributedApplicationException($"The resource '{resource.Name}' says neither which program nor which project it runs.");
        }

        if (project is not IBuiltProject built)
        {
            throw new NotSupportedException($"The project '{project.ProjectPath}' of the resource '{resource.Name}' is not built with the app host.");
        }

        return File.Exists(built.TargetPath)
            ? (DotnetHost.Path, [built.TargetPath], System.IO.Path.GetDirectoryName(project.ProjectPath)!)
            : throw new DistributedApplicationException(
                $"The program '{built.TargetPath}' of the resource '{resource.Name}' does not exist; build the app host's project first.");
    }
}
