namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds command-line arguments when the resource is about to start.</summary>
public class CommandLineArgsCallbackAnnotation : IResourceAnnotation
{
    /// <summary>Adds arguments.</summary>
    public CommandLineArgsCallbackAnnotation(Func<CommandLineArgsCallbackContext, Task> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Callback = callback;
    }

    /// <summary>Adds arguments.</summary>
    public CommandLineArgsCallbackAnnotation(Action<IList<object>> callback)
        : this(context =>
        {
            callback(context.Args);
            return Task.CompletedTask;
        })
    {
    }

    /// <summary>What adds the arguments.</summary>
    public Func<CommandLineArgsCallbackContext, Task> Callback { get; }
}
