namespace Platform.AppHost.Stack;

/// <summary>
/// An address in the stack file, by which people and tools outside the graph reach a resource: <c>./platform info
/// NAME</c>.
/// </summary>
/// <param name="name">The entry's name.</param>
/// <param name="resolve">Returns the address once the resource runs; null when it has none.</param>
internal sealed class StackEntry(string name, Func<CancellationToken, ValueTask<string?>> resolve) : IResourceAnnotation
{
    public string Name => name;

    public ValueTask<string?> ResolveAsync(CancellationToken cancellationToken) => resolve(cancellationToken);
}
