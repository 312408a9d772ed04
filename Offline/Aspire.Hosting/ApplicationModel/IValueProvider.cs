namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something whose value is known at the latest when the graph starts.</summary>
public interface IValueProvider
{
    /// <summary>Gets the value, waiting until it is known.</summary>
    ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);

    /// <summary>Gets the value as the given caller sees it, waiting until it is known.</summary>
    ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default)
        => GetValueAsync(cancellationToken);
}
