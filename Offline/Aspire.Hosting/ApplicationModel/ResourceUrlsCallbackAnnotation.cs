namespace Aspire.Hosting.ApplicationModel;

/// <summary>Changes the URLs of a resource once its ports are known.</summary>
public sealed class ResourceUrlsCallbackAnnotation : IResourceAnnotation
{
    /// <summary>Changes the URLs.</summary>
    public ResourceUrlsCallbackAnnotation(Func<ResourceUrlsCallbackContext, Task> callback) => Callback = callback;

    /// <summary>Changes the URLs.</summary>
    public ResourceUrlsCallbackAnnotation(Action<ResourceUrlsCallbackContext> callback)
        : this(context =>
        {
            callback(context);
            return Task.CompletedTask;
        })
    {
    }

    /// <summary>What changes the URLs.</summary>
    public Func<ResourceUrlsCallbackContext, Task> Callback { get; }
}
