using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Configures resources.</summary>
public static partial class ResourceBuilderExtensions
{
    /// <summary>Sets an environment variable.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment
        => builder.SetVariable(name, value ?? "");

    /// <summary>Sets an environment variable to an interpolated string.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder,
        string name,
        in ReferenceExpression.ExpressionInterpolatedStringHandler value)
        where T : IResourceWithEnvironment
        => builder.WithEnvironment(name, ReferenceExpression.Create(value));

    /// <summary>Sets an environment variable to an expression.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, ReferenceExpression value)
        where T : IResourceWithEnvironment
        => builder.SetVariable(name, value).RelateTo(value);

    /// <summary>Sets an environment variable to a value that is known later.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IExpressionValue value)
        where T : IResourceWithEnvironment
        => builder.SetVariable(name, value).RelateTo(value);

    /// <summary>Sets an environment variable to a value that is known later.</summary>
    public static IResourceBuilder<T> WithEnvironment<T, TValue>(this IResourceBuilder<T> builder, string name, TValue value)
        where T : IResourceWithEnvironment
        where TValue : IValueProvider, IManifestExpressionProvider
        => builder.SetVariable(name, value).RelateTo(value);

    /// <summary>Sets an environment variable when the resource is about to start.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, Func<string> callback)
        where T : IResourceWithEnvironment
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.WithAnnotation(new EnvironmentCallbackAnnotation(name, callback));
    }

    /// <summary>Sets environment variables when the resource is about to start.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Action<EnvironmentCallbackContext> callback)
        where T : IResourceWithEnvironment
        => builder.WithAnnotation(new EnvironmentCallbackAnnotation(callback));

    /// <summary>Sets environment variables when the resource is about to start.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Func<EnvironmentCallbackContext, Task> callback)
        where T : IResourceWithEnvironment
        => builder.WithAnnotation(new EnvironmentCallbackAnnotation(callback));

    /// <summary>Sets an environment variable to the URL of an endpoint.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment
        => builder.SetVariable(name, endpointReference).RelateTo(endpointReference);

    /// <summary>Sets an environment variable to a parameter.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder,
        string name,
        IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return builder.SetVariable(name, parameter.Resource).RelateTo(parameter.Resource);
    }

    /// <summary>Sets an environment variable to a connection string.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder,
        string envVarName,
        IResourceBuilder<IResourceWithConnectionString> resource)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(resource);
        return builder.SetVariable(envVarName, new ConnectionStringReference(resource.Resource, optional: false)).RelateTo(resource.Resource);
    }

    /// <summary>Adds command-line arguments.</summary>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : IResourceWithArgs
        => builder.WithArgs(context => AddAll(context.Args, args));

    /// <summary>Adds command-line arguments: strings or values that are known later.</summary>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params object[] args)
        where T : IResourceWithArgs
    {
        builder.WithArgs(context => AddAll(context.Args, args));
        foreach (var arg in args)
        {
            builder.RelateTo(arg);
        }

        return builder;
    }

    /// <summary>Adds command-line arguments when the resource is about to start.</summary>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, Action<CommandLineArgsCallbackContext> callback)
        where T : IResourceWithArgs
        => builder.WithArgs(context =>
        {
            callback(context);
            return Task.CompletedTask;
        });

    /// <summary>Adds command-line arguments when the resource is about to start.</summary>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, Func<CommandLineArgsCallbackContext, Task> callback)
        where T : IResourceWithArgs
        => builder.WithAnnotation(new CommandLineArgsCallbackAnnotation(callback));

    private static void AddAll(IList<object> all, IEnumerable<object> more)
    {
        foreach (var item in more)
        {
            all.Add(item);
        }
    }

    private static IResourceBuilder<T> SetVariable<T>(this IResourceBuilder<T> builder, string name, object value)
        where T : IResourceWithEnvironment
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        return builder.WithAnnotation(new EnvironmentCallbackAnnotation(context => context.EnvironmentVariables[name] = value));
    }

    /// <summary>Adds a Reference relation to every resource that a value is made of.</summary>
    private static IResourceBuilder<T> RelateTo<T>(this IResourceBuilder<T> builder, object value)
        where T : IResource
    {
        foreach (var resource in ValueReferences.Resources(value))
        {
            if (!ReferenceEquals(resource, builder.Resource))
            {
                builder.WithReferenceRelationship(resource);
            }
        }

        return builder;
    }
}
