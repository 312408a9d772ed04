using Platform.Caching.Servers;
using StackExchange.Redis;

namespace Platform.Tests.Unit.Caching;

/// <summary>Redis as the caches use it, in memory: what it holds, and the connections to it, which a test may cut, slow down and lose messages of.</summary>
internal sealed class FakeRedis
{
    private readonly Dictionary<string, (long Mark, byte[]? Data)> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _values = new(StringComparer.Ordinal);
    private readonly List<Connection> _connections = [];
    private readonly Lock _lock = new();
    private (Dictionary<string, (long Mark, byte[]? Data)> Entries, Dictionary<string, long> Values) _replica = ([], []);
    private int _failovers;

    /// <summary>Whether it answers.</summary>
    public bool IsUp { get; set; } = true;

    /// <summary>Whether it stores whatever the mark is: what must not be.</summary>
    public bool ForgetsMarks { get; set; }

    /// <summary>The names of the entries that have data.</summary>
    public IReadOnlyCollection<string> Stored
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Where(entry => entry.Value.Data is not null).Select(entry => entry.Key)];
            }
        }
    }

    /// <summary>All names.</summary>
    public IReadOnlyCollection<string> Names
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Keys, .. _values.Keys];
            }
        }
    }

    /// <summary>Calls of each kind.</summary>
    public Dictionary<string, int> Calls { get; } = [];

    /// <summary>Removes a name, as for want of memory.</summary>
    public void Evict(string name)
    {
        _entries.Remove(name);
        _values.Remove(name);
    }

    /// <summary>The replica gets what there is now.</summary>
    public void Replicate() => _replica = (new(_entries), new(_values));

    /// <summary>
    /// The master is lost with all that its replica has not got, which takes its place: what was on its way is lost, and who is connected hears of it.
    /// </summary>
    /// <param name="isNoticed">Whether they do; that they do not must not be.</param>
    public void FailOver(bool isNoticed = true)
    {
        _failovers++;
        _entries.Clear();
        _values.Clear();
        foreach (var (name, entry) in _replica.Entries)
        {
            _entries[name] = entry;
        }

        foreach (var (name, value) in _replica.Values)
        {
            _values[name] = value;
        }

        foreach (var connection in _connections.Where(_ => isNoticed))
        {
            connection.Reconnect();
        }
    }

    /// <summary>Puts data in the place of an entry's.</summary>
    public void Overwrite(string name, byte[] data) => _entries[name] = (_entries[name].Mark, data);

    /// <summary>A connection of a process.</summary>
    /// <param name="delay">What happens before a command arrives, before its answer does, and before a message is heard; null: nothing.</param>
    public Connection Connect(Func<Step, Task>? delay = null)
    {
        var connection = new Connection(this, delay ?? (_ => Task.CompletedTask));
        _connections.Add(connection);
        return connection;
    }

    /// <summary>What may take time, or fail.</summary>
    public enum Step
    {
        /// <summary>The command is on its way.</summary>
        Command,

        /// <summary>The answer is on its way.</summary>
        Answer,

        /// <summary>A message is on its way.</summary>
        Message,
    }

    /// <summary>A connection.</summary>
    public sealed class Connection(FakeRedis redis, Func<Step, Task> delay) : ICacheServer
    {
        public event Action<IReadOnlyList<string>?>? Told;

        /// <summary>Whether messages are lost; whoever hears of it is told.</summary>
        public bool IsDeaf { get; set; }

        /// <summary>Messages that are on their way to this connection.</summary>
        public List<Task> Messages { get; } = [];

        public Task<byte[]?> ReadAsync(string key) => DoAsync("read", () => redis._entries.GetValueOrDefault(key).Data?.ToArray());

        public Task<long> BeginAsync(string key, long mark) => DoAsync("begin", () =>
        {
            redis._entries.TryAdd(key, (mark, null));
            return redis._entries[key].Mark;
        });

        public Task AbandonAsync(string key, long mark) => DoAsync(
            "abandon", () => redis._entries.TryGetValue(key, out var entry) && entry == (mark, null) && redis._entries.Remove(key));

        public Task<long> MarkAsync(string scope, long mark) => DoAsync("mark", () =>
        {
            redis._values.TryAdd(scope, mark);
            return redis._values[scope];
        });

        public Task<bool> StoreAsync(string key, long mark, ReadOnlyMemory<byte> data, TimeSpan life) => DoAsync("store", () =>
        {
            if (!redis.ForgetsMarks && (!redis._entries.TryGetValue(key, out var entry) || entry.Mark != mark))
            {
                return false;
            }

            redis._entries[key] = (mark, data.ToArray());
            return true;
        });

        public Task DropAsync(IReadOnlyCollection<string> names) => DoAsync("drop", () =>
        {
            foreach (var name in names)
            {
                redis.Evict(name);
            }

            foreach (var other in redis._connections.Where(other => other != this && !other.IsDeaf))
            {
                other.Messages.Add(other.HearAsync([.. names]));
            }

            return true;
        });

        public Task<bool> LockAsync(string name, long owner, TimeSpan life) => DoAsync("lock", () => redis._values.TryAdd(name, owner));

        public Task UnlockAsync(string name, long owner) =>
            DoAsync("unlock", () => redis._values.GetValueOrDefault(name) == owner && redis._values.Remove(name));

        /// <summary>The connection broke and is back: what was told meanwhile is lost.</summary>
        public void Reconnect() => Told?.Invoke(null);

        private async Task HearAsync(IReadOnlyList<string> names)
        {
            await delay(Step.Message);
            Told?.Invoke(names);
        }

        private async Task<T> DoAsync<T>(string call, Func<T> command)
        {
            var connectedSince = redis._failovers;
            await delay(Step.Command);
            T answer;
            lock (redis._lock)
            {
                redis.Calls[call] = redis.Calls.GetValueOrDefault(call) + 1;
                ThrowIfLost();
                answer = command();
            }

            await delay(Step.Answer);
            ThrowIfLost();
            return answer;

            void ThrowIfLost()
            {
                if (!redis.IsUp || redis._failovers != connectedSince)
                {
                    throw new RedisConnectionException(ConnectionFailureType.SocketClosed, "away");
                }
            }
        }
    }
}
