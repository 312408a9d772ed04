namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value that becomes known later. A later value replaces an earlier one.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
public sealed class ValueSnapshot<T>
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<T> _source = NewSource();

    /// <summary>Whether the value is known.</summary>
    public bool IsValueSet => _source.Task.IsCompletedSuccessfully;

    /// <summary>Waits for the value.</summary>
    public Task<T> GetValueAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            return _source.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Sets the value.</summary>
    public void SetValue(T value) => Complete(source => source.TrySetResult(value));

    /// <summary>Tells those who wait that there will be no value.</summary>
    public void SetException(Exception exception) => Complete(source => source.TrySetException(exception));

    private void Complete(Func<TaskCompletionSource<T>, bool> complete)
    {
        lock (_gate)
        {
            if (!complete(_source))
            {
                _source = NewSource();
                complete(_source);
            }
        }
    }

    private static TaskCompletionSource<T> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
