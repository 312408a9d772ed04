namespace Platform.AppHost.Stack;

internal static class StackEntryExtensions
{
    /// <summary>Writes the resource's connection string into the stack file.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="name">The entry's name.</param>
    /// <param name="form">Gives the connection string the form that other tools read; null leaves it as it is.</param>
    public static IResourceBuilder<T> WithStackEntry<T>(
        this IResourceBuilder<T> resource, string name, Func<string, string?>? form = null)
        where T : IResourceWithConnectionString
        => resource.WithAnnotation(new StackEntry(name, async cancellationToken =>
        {
            var text = await resource.Resource.GetConnectionStringAsync(cancellationToken);
            return text is null || form is null ? text : form(text);
        }));

    /// <summary>Writes the URL of one of the resource's endpoints into the stack file.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="name">The entry's name.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    public static IResourceBuilder<T> WithStackEntry<T>(this IResourceBuilder<T> resource, string name, string endpoint)
        where T : IResourceWithEndpoints
        => resource.WithAnnotation(
            new StackEntry(name, _ => ValueTask.FromResult<string?>(resource.GetEndpoint(endpoint).Url)));
}
