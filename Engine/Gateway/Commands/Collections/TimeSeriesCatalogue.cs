using System.Collections.Concurrent;

namespace Platform.Gateway.Commands.Collections;

/// <summary>
/// Which collections are time series, so that a write learns of it without asking the backend. What is remembered of a collection is forgotten when this
/// gateway makes or drops any, and asked again once a second: another gateway may have put another one in its place.
/// </summary>
internal sealed class TimeSeriesCatalogue(TimeProvider time)
{
    private const int Most = 10_000;
    private static readonly TimeSpan s_age = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<(string Database, string Collection), Known> _known = new();
    private int _changes;

    /// <summary>What a time series takes; null when the collection is none, or does not exist.</summary>
    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TimeSeriesRules?> FindAsync(CommandContext context, string database, string collection)
    {
        // Of those that come when it has grown old, one asks.
        if (_known.TryGetValue((database, collection), out var known) && (time.GetElapsedTime(known.AskedAt) < s_age || !known.TryTake()))
        {
            return known.Rules;
        }

        try
        {
            return await AskAsync(context, database, collection);
        }
        catch
        {
            // The next command asks.
            _known.TryRemove((database, collection), out _);
            throw;
        }
    }

    /// <summary>Collections were made, renamed or dropped by this gateway.</summary>
    public void Changed()
    {
        Interlocked.Increment(ref _changes);
        _known.Clear();
    }

    private async ValueTask<TimeSeriesRules?> AskAsync(CommandContext context, string database, string collection)
    {
        var (changes, askedAt) = (Volatile.Read(ref _changes), time.GetTimestamp());
        // Apart from the command's own connection: the snapshot of its transaction may be older than the time series.
        await using var lease = await context.RentAsGatewayAsync();
        var (own, _, id) = await CollectionOptions.GetAsync(lease.Connection, database, collection, context.CancellationToken);
        var rules = own.TryGetValue(CollectionOptions.TimeSeries, out var options) ? TimeSeriesRules.Of(options.AsBsonDocument) : null;
        if (id is not null && Volatile.Read(ref _changes) == changes)
        {
            if (_known.Count >= Most)
            {
                _known.Clear();
            }

            _known[(database, collection)] = new Known(rules, askedAt);
        }

        return rules;
    }

    private sealed class Known(TimeSeriesRules? rules, long askedAt)
    {
        private int _taken;

        public TimeSeriesRules? Rules => rules;

        public long AskedAt => askedAt;

        public bool TryTake() => Interlocked.Exchange(ref _taken, 1) == 0;
    }
}
