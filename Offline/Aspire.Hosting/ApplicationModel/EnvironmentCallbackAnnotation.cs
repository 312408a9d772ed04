namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds environment variables when the resource is about to start.</summary>
public class EnvironmentCallbackAnnotation : IResourceAnnotation
{
    /// <summary>Adds one variable.</summary>
    public EnvironmentCallbackAnnotation(string name, Func<string> callback)
        : this(context => context.EnvironmentVariables[name] = callback())
    {
    }

    /// <summary>Adds variables.</summary>
    public EnvironmentCallbackAnnotation(Action<Dictionary<string, object>> callback)
        : this(context => callback(context.EnvironmentVariables))
    {
    }

    /// <summary>Adds variables.</summary>
    public EnvironmentCallbackAnnotation(Action<EnvironmentCallbackContext> callback)
        : this(context =>
        {
            callback(context);
            return Task.CompletedTask;
        })
    {
    }

    /// <summary>Adds variables.</summary>
    public EnvironmentCallbackAnnotation(Func<EnvironmentCallbackContext, Task> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Callback = callback;
    }

    /// <summary>What adds the variables.</summary>
    public Func<EnvironmentCallbackContext, Task> Callback { get; }
}
