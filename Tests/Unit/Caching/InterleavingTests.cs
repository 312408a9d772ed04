using System.Buffers.Binary;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Changes;
using Platform.Caching.Observation;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Unit.Caching;

/// <summary>
/// The caches of two processes over one Redis and one database, with readers, writers, invalidations of entries and of scopes, a change stream, evictions,
/// lost answers, lost messages, outages and failovers to a replica that lags in every order that a seed can think of. A read that begins when its process has
/// been told of a change never gets what was before it; and when all is quiet, nobody does. Each guard is taken away in turn, and the model must notice.
/// </summary>
public sealed class InterleavingTests
{
    private const int Seeds = 3_000;

    // What takes a guard away is noticed long before.
    private const int SeedsToNotice = 20_000;

    private static readonly CacheDefinition s_cache = new()
    {
        Kind = "products", Holds = "a version", Id = "key", ChangedBy = "the model", TimeToLive = TimeSpan.FromHours(1), LocalLife = TimeSpan.FromHours(1),
        SoftTimeout = Timeout.InfiniteTimeSpan, HardTimeout = Timeout.InfiniteTimeSpan, RefreshAhead = 1, OneLoader = false,
    };

    private static readonly CacheKey[] s_keys = [.. Enumerable.Range(0, 2).Select(i => CacheKeys.Of(s_cache, "t1", $"k{i}"))];

    [Fact]
    public void What_was_read_before_a_change_is_never_given_to_who_asks_after_it()
    {
        var found = OnItsOwnThread(() => FirstViolation(Seeds, _ => new ChangeStamps(), forgetsMarks: false));

        Assert.Null(found.Violation);
        // It has to be about something: caches that never answer are never wrong.
        Assert.True(found.Hits > Seeds, $"{found.Hits} reads of {found.Reads} were answered by a cache");
    }

    [Fact]
    public void Without_the_stamps_it_is() =>
        Assert.NotNull(OnItsOwnThread(() => FirstViolation(SeedsToNotice, _ => new NoStamps(), forgetsMarks: false)).Violation);

    [Fact]
    public void Without_the_marks_it_is() =>
        Assert.NotNull(OnItsOwnThread(() => FirstViolation(SeedsToNotice, _ => new ChangeStamps(), forgetsMarks: true)).Violation);

    [Fact]
    public void Counted_only_before_Redis_is_told_it_is() =>
        Assert.NotNull(OnItsOwnThread(() => FirstViolation(SeedsToNotice, _ => new CountedOnce(), forgetsMarks: false)).Violation);

    [Fact]
    public void When_nobody_notices_that_a_replica_took_over_it_is() =>
        Assert.NotNull(OnItsOwnThread(
            () => FirstViolation(SeedsToNotice, _ => new ChangeStamps(), forgetsMarks: false, noticesFailovers: false)).Violation);

    private static (string? Violation, int Hits, int Reads) FirstViolation(
        int seeds, Func<int, ChangeStamps> stamps, bool forgetsMarks, bool noticesFailovers = true)
    {
        var (hits, reads) = (0, 0);
        for (var seed = 0; seed < seeds; seed++)
        {
            using var run = new ModelRun(seed, stamps, forgetsMarks, noticesFailovers);
            var violation = run.Run();
            hits += run.Hits;
            reads += run.Reads;
            if (violation is not null)
            {
                return ($"seed {seed}: {violation}", hits, reads);
            }
        }

        return (null, hits, reads);
    }

    // Without a synchronization context, so that what waited goes on at once, on the thread that opened its gate.
    private static T OnItsOwnThread<T>(Func<T> work)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = work();
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            },
            maxStackSize: 64 << 20);
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new InvalidOperationException("The model failed.", failure);
    }

    private sealed class NoStamps : ChangeStamps
    {
        public override void Changed(string scope)
        {
        }
    }

    // As if the second of the two counts around a change were not there.
    private sealed class CountedOnce : ChangeStamps
    {
        private readonly Dictionary<string, int> _times = [];

        public override void Changed(string scope)
        {
            if ((_times[scope] = _times.GetValueOrDefault(scope) + 1) % 2 == 1)
            {
                base.Changed(scope);
            }
        }
    }

    private sealed class Process(int number, DataCaches caches, FakeRedis.Connection connection, FakeTimeProvider time)
    {
        public int Number => number;

        public DataCaches Caches => caches;

        public FakeRedis.Connection Connection => connection;

        public FakeTimeProvider Time => time;

        // The least version that a read must give, by key.
        public int[] Known { get; } = new int[s_keys.Length];

        public List<(int Key, int Version)> Stream { get; } = [];

        public void Knows(int key, int version) => Known[key] = Math.Max(Known[key], version);
    }

    private sealed class ModelRun : IDisposable
    {
        private readonly Schedule _schedule;
        private readonly FakeRedis _redis;
        private readonly Process[] _processes;
        private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly int[] _database = new int[s_keys.Length];
        private string? _violation;
        private int _writing;

        // With one key alone, readers and writers meet more often.
        private readonly int _keys;

        private readonly bool _noticesFailovers;

        public ModelRun(int seed, Func<int, ChangeStamps> stamps, bool forgetsMarks, bool noticesFailovers)
        {
            _noticesFailovers = noticesFailovers;
            _schedule = new Schedule(seed);
            _keys = _schedule.Random.Next(1, s_keys.Length + 1);
            _redis = new FakeRedis { ForgetsMarks = forgetsMarks };
            _processes = [.. Enumerable.Range(0, 2).Select(number => NewProcess(number, stamps(number)))];
        }

        public int Hits { get; private set; }

        public int Reads { get; private set; }

        public string? Run()
        {
            var random = _schedule.Random;
            List<Task> actors = [];
            foreach (var process in _processes)
            {
                process.Caches.HearOfChanges(true);
                actors.AddRange(Enumerable.Range(0, 3).Select(_ => ReaderAsync(process, random.Next(2, 5))));
            }

            _writing = random.Next(1, 4);
            var writers = _writing;
            actors.AddRange(Enumerable.Range(0, writers).Select(_ => WriterAsync(_processes[random.Next(2)], random.Next(4) == 0)));
            actors.AddRange(_processes.Select(FollowAsync));
            if (random.Next(3) == 0)
            {
                actors.Add(OutageAsync());
            }

            if (random.Next(3) == 0)
            {
                actors.Add(EvictAsync());
            }

            if (random.Next(3) == 0)
            {
                actors.Add(FailOverAsync());
            }

            if (random.Next(4) == 0)
            {
                actors.Add(DeafAsync(_processes[random.Next(2)]));
            }

            _schedule.Run(actors);
            _schedule.Run([.. _processes.SelectMany(process => process.Connection.Messages)]);
            _redis.IsUp = true;
            _schedule.Run([QuietAsync()]);
            return _violation;
        }

        public void Dispose()
        {
            foreach (var process in _processes)
            {
                process.Caches.Dispose();
            }

            _services.Dispose();
        }

        private Process NewProcess(int number, ChangeStamps stamps)
        {
            var connection = _redis.Connect(async step =>
            {
                await _schedule.GateAsync();
                // The command was carried out, and nobody hears of it.
                if (step == FakeRedis.Step.Answer && _schedule.Random.Next(20) == 0 && _writing > 0)
                {
                    throw new RedisTimeoutException("lost", CommandStatus.Sent);
                }
            });
            var time = new FakeTimeProvider();
            var caches = new DataCaches(
                connection, Options.Create(new CacheOptions { Patience = TimeSpan.FromMinutes(1) }), time,
                new CacheMetrics(_services.GetRequiredService<IMeterFactory>()), NullLoggerFactory.Instance, [s_cache], new ScheduledLocker(_schedule), stamps);
            return new Process(number, caches, connection, time);
        }

        private async Task ReaderAsync(Process process, int times)
        {
            for (var i = 0; i < times; i++)
            {
                await SomeAsync(20);
                await ReadAsync(process, _schedule.Random.Next(_keys));
            }
        }

        private async Task ReadAsync(Process process, int key)
        {
            var least = process.Known[key];
            var (entry, outcome) = await process.Caches[s_cache].GetAsync(s_keys[key], _ => LoadAsync(key), CancellationToken.None);
            var version = BinaryPrimitives.ReadInt32LittleEndian(entry.Content.Span);
            Reads++;
            Hits += outcome == Platform.Caching.Entries.CacheOutcome.Hit ? 1 : 0;
            if (version < least)
            {
                _violation ??= $"process {process.Number} knew of version {least} of key {key} and got {version} ({outcome})";
            }
        }

        private async Task<byte[]?> LoadAsync(int key)
        {
            await _schedule.GateAsync();
            var content = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(content, _database[key]);
            await _schedule.GateAsync();
            return content;
        }

        private async Task WriterAsync(Process process, bool wholeScope)
        {
            await SomeAsync(150);
            var key = _schedule.Random.Next(_keys);
            var version = ++_database[key];
            foreach (var other in _processes)
            {
                other.Stream.Add((key, version));
            }

            await _schedule.GateAsync();
            // Every fourth writer is somebody else, who tells nobody; the change stream does.
            if (_schedule.Random.Next(4) != 0)
            {
                await process.Caches.InvalidateAsync([wholeScope ? CacheKeys.OfTenant("t1") : s_keys[key].Text]);
                process.Knows(key, version);
            }

            _writing--;
        }

        private async Task FollowAsync(Process process)
        {
            while (_writing > 0 || process.Stream.Count > 0)
            {
                await SomeAsync(30);
                if (process.Stream.Count > 0)
                {
                    var (key, version) = process.Stream[0];
                    process.Stream.RemoveAt(0);
                    await process.Caches.InvalidateAsync([s_keys[key].Text]);
                    process.Knows(key, version);
                }
            }
        }

        // Some time passes.
        private async Task SomeAsync(int most)
        {
            for (var i = _schedule.Random.Next(most); i >= 0; i--)
            {
                await _schedule.GateAsync();
            }
        }

        private async Task OutageAsync()
        {
            await SomeAsync(100);
            _redis.IsUp = false;
            for (var i = 0; i < 20; i++)
            {
                await _schedule.GateAsync();
            }

            _redis.IsUp = true;
            await RestAsync();
        }

        // The replica lags behind, and takes over.
        private async Task FailOverAsync()
        {
            await SomeAsync(150);
            _redis.Replicate();
            await SomeAsync(100);
            _redis.FailOver(_noticesFailovers);
        }

        private async Task EvictAsync()
        {
            for (var i = 0; i < 3; i++)
            {
                await SomeAsync(50);
                if (_redis.Names.Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } names)
                {
                    _redis.Evict(names[_schedule.Random.Next(names.Length)]);
                }
            }
        }

        private async Task DeafAsync(Process process)
        {
            await SomeAsync(100);
            process.Connection.IsDeaf = true;
            for (var i = 0; i < 10; i++)
            {
                await _schedule.GateAsync();
            }

            process.Connection.IsDeaf = false;
            process.Connection.Reconnect();
        }

        private async Task RestAsync()
        {
            foreach (var process in _processes)
            {
                do
                {
                    process.Time.Advance(TimeSpan.FromSeconds(2));
                    await process.Caches.SettleAsync();
                    // One that was begun before may be on its way.
                    await _schedule.GateAsync();
                }
                while (process.Caches.Owed > 0 && _redis.IsUp);
            }
        }

        // Everything has been told and settled: each process, and one that comes new, must see what the database has.
        private async Task QuietAsync()
        {
            for (var round = 0; round < 2; round++)
            {
                await RestAsync();
            }

            var newcomer = NewProcess(2, new ChangeStamps());
            newcomer.Caches.HearOfChanges(true);
            using (newcomer.Caches)
            {
                foreach (var process in (Process[])[.. _processes, newcomer])
                {
                    for (var key = 0; key < s_keys.Length; key++)
                    {
                        process.Knows(key, _database[key]);
                        await ReadAsync(process, key);
                    }
                }
            }
        }
    }
}
