using Aspire.Hosting.Testing;
using MongoDB.Driver;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>
/// What a test class has for itself on the running graph's servers: databases, and a prefix for its keys in the cache. Both
/// are removed when the class has ended. A class asks for it by <c>IClassFixture&lt;OwnData&lt;TClass&gt;&gt;</c>.
/// </summary>
/// <remarks>
/// The graph's API has the graph's own database and no other, so classes that go through the API share that one, and tell
/// their data apart by tenants, products and stores of their own.
/// </remarks>
/// <typeparam name="TClass">The test class, after which the databases are named.</typeparam>
public sealed class OwnData<TClass>(StackFixture stack) : IAsyncLifetime
{
    private readonly List<string> _databases = [];
    private string _connectionString = "";
    private ConnectionMultiplexer? _cache;

    /// <summary>The cache; keys of this class begin with <see cref="KeyPrefix"/>.</summary>
    public IDatabase Cache => _cache?.GetDatabase() ?? throw new InvalidOperationException("The class has not begun.");

    /// <summary>What all keys of this class begin with.</summary>
    public string KeyPrefix { get; } = $"test:{typeof(TClass).Name}:";

    /// <summary>A database that is this test's alone, and empty.</summary>
    public IMongoDatabase NewDatabase()
    {
        lock (_databases)
        {
            var name = $"{typeof(TClass).Name}-{_databases.Count + 1}";
            _databases.Add(name);
            return stack.Database.Client.GetDatabase(name);
        }
    }

    /// <summary>How a program reaches a database of this class.</summary>
    public string ConnectionStringOf(IMongoDatabase database) =>
        StackClients.InDatabase(_connectionString, database.DatabaseNamespace.DatabaseName);

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _connectionString = await stack.App.GetConnectionStringAsync(ResourceNames.Mongo)
            ?? throw new InvalidOperationException("The replica set has no connection string.");
        _cache = await ConnectionMultiplexer.ConnectAsync(await stack.App.CacheOptionsAsync(TestContext.Current.CancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var name in _databases)
        {
            await stack.Database.Client.DropDatabaseAsync(name);
        }

        if (_cache is not null)
        {
            foreach (var server in _cache.GetServers())
            {
                await foreach (var key in server.KeysAsync(pattern: $"{KeyPrefix}*"))
                {
                    await Cache.KeyDeleteAsync(key);
                }
            }

            await _cache.DisposeAsync();
        }
    }
}
