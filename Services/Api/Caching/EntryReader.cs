using StackExchange.Redis;

namespace Platform.Api.Caching;

/// <summary>
/// Reads entries of Redis for many requests at once: those that come while an answer is on its way ask together, by one command. A busy process so sends a
/// fraction of the commands, and reads and writes its connection as much less often; one that is not busy waits for nothing. Thread-safe.
/// </summary>
/// <param name="read">Reads several keys by one command, with patience.</param>
internal sealed class EntryReader(Func<RedisKey[], Task<RedisValue[]>> read)
{
    /// <summary>How many requests share a command at most: what Redis answers in well below a millisecond.</summary>
    public const int MostAtOnce = 128;

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = new();
    private bool _isAsking;

    /// <summary>Reads two keys.</summary>
    /// <param name="first">A key.</param>
    /// <param name="second">Another one.</param>
    public Task<(RedisValue First, RedisValue Second)> ReadAsync(RedisKey first, RedisKey second)
    {
        var waiting = new Waiting(first, second);
        lock (_lock)
        {
            _waiting.Enqueue(waiting);
            if (_isAsking)
            {
                return waiting.Task;
            }

            _isAsking = true;
        }

        _ = AskAsync();
        return waiting.Task;
    }

    private async Task AskAsync()
    {
        while (Next() is { } together)
        {
            try
            {
                var values = await read([.. together.SelectMany(waiting => waiting.Keys)]);
                for (var i = 0; i < together.Length; i++)
                {
                    together[i].SetResult((values[2 * i], values[(2 * i) + 1]));
                }
            }
#pragma warning disable CA1031 // It is those who wait that have to know.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                // Who came meanwhile has waited for the same answer, and need not wait as long again.
                Array.ForEach([.. together, .. Rest()], waiting => waiting.SetException(exception));
            }
        }
    }

    private Waiting[]? Next()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _isAsking = false;
                return null;
            }

            var together = new Waiting[Math.Min(MostAtOnce, _waiting.Count)];
            for (var i = 0; i < together.Length; i++)
            {
                together[i] = _waiting.Dequeue();
            }

            return together;
        }
    }

    private Waiting[] Rest()
    {
        lock (_lock)
        {
            Waiting[] rest = [.. _waiting];
            _waiting.Clear();
            return rest;
        }
    }

    // Each goes on by itself, on another thread: what one does with its answer holds up none of the others.
    private sealed class Waiting(RedisKey first, RedisKey second)
        : TaskCompletionSource<(RedisValue First, RedisValue Second)>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public RedisKey[] Keys => [first, second];
    }
}
