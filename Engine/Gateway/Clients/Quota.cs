namespace Platform.Gateway.Clients;

/// <summary>Counts what is held, against a limit.</summary>
internal sealed class Quota
{
    private int _count;

    /// <summary>How many are held.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes one more; false when there are <paramref name="limit"/> already.</summary>
    public bool TryTake(int limit)
    {
        if (Interlocked.Increment(ref _count) <= limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _count);
        return false;
    }

    /// <summary>Gives one back.</summary>
    public void Give() => Interlocked.Decrement(ref _count);
}
