using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Observation;
using Platform.Caching.Servers;
using StackExchange.Redis;

namespace Platform.Tests.TestKit.Servers;

/// <summary>The caches of the catalogue, for tests.</summary>
internal static class TestCaches
{
    /// <summary>Caches over a Redis.</summary>
    /// <param name="connect">Connects to it.</param>
    /// <param name="patience">How long it is waited for; 30 seconds unless given, since tests' machines are slow.</param>
    /// <param name="definitions">Which caches; those of the catalogue unless given.</param>
    public static DataCaches Of(
        Func<IConnectionMultiplexer> connect, TimeSpan? patience = null, IReadOnlyCollection<CacheDefinition>? definitions = null) => new(
        new RedisCacheServer(connect),
        Options.Create(new CacheOptions { Patience = patience ?? TimeSpan.FromSeconds(30) }),
        TimeProvider.System,
        new CacheMetrics(new Meters()),
        NullLoggerFactory.Instance,
        definitions);

    /// <summary>Caches whose Redis is away.</summary>
    public static DataCaches Away() => Of(() => throw new RedisConnectionException(ConnectionFailureType.UnableToConnect, "away"));

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
