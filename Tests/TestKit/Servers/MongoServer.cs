using System.Collections.Concurrent;
using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>
/// The MongoDB server of a test run: the one whose connection string is in <see cref="Variable"/>, or else the stand-in, which is started
/// for the run. Tests use what every MongoDB server has; what only some have they <see cref="Require">state</see>.
/// </summary>
public sealed class MongoServer : IAsyncLifetime
{
    /// <summary>The environment variable with the connection string of the server.</summary>
    public const string Variable = "PLATFORM_TEST_MONGO";

    private readonly GatewayFixture? _standIn;
    private readonly ConcurrentBag<string> _databases = [];
    private readonly HashSet<MongoFeature> _features = [];
    private string _connectionString = Environment.GetEnvironmentVariable(Variable) ?? "";
    private MongoClient? _client;
    private MongoServerAddress _address = new("127.0.0.1");
    private string? _replicaSet;

    /// <summary>Takes the given server, or makes the stand-in.</summary>
    public MongoServer() => _standIn = _connectionString.Length == 0 ? new GatewayFixture() : null;

    /// <summary>The connection string of its administrative user.</summary>
    public string ConnectionString => Client is null ? "" : _connectionString;

    /// <summary>A client that is logged in as its administrative user. Skips the test when this machine has no server.</summary>
    public MongoClient Client
    {
        get
        {
            _standIn?.Require();
            return _client ?? throw new InvalidOperationException("The server was not started.");
        }
    }

    /// <summary>Where its primary is, as host:port.</summary>
    public string Address => _address.ToString();

    /// <summary>What it can do.</summary>
    public IReadOnlySet<MongoFeature> Features => _features;

    /// <summary>Skips the test when there is no server, or when it lacks one of the features.</summary>
    public void Require(params ReadOnlySpan<MongoFeature> features)
    {
        _standIn?.Require();
        foreach (var feature in features)
        {
            Assert.SkipUnless(_features.Contains(feature), $"{feature}: the server at {_address} does not have it.");
        }
    }

    /// <summary>A database that is this test's alone; dropped at the end. Skips the test when the server lacks one of the features.</summary>
    public IMongoDatabase NewDatabase(params ReadOnlySpan<MongoFeature> features)
    {
        Require(features);
        var name = "test_" + Guid.NewGuid().ToString("N");
        _databases.Add(name);
        return Client.GetDatabase(name);
    }

    /// <summary>The connection string of a database.</summary>
    public string ConnectionStringOf(IMongoDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        return Url(url => url.DatabaseName = database.DatabaseNamespace.DatabaseName);
    }

    /// <summary>The connection string of a user of the database admin.</summary>
    /// <param name="user">The user.</param>
    /// <param name="password">Its password.</param>
    /// <param name="database">The database that is used.</param>
    public string ConnectionStringOf(string user, string password, IMongoDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        return Url(url => (url.Username, url.Password, url.DatabaseName) = (user, password, database.DatabaseNamespace.DatabaseName));
    }

    /// <summary>A proxy before its primary, by the seed.</summary>
    internal FaultProxy Proxy(int seed = 0)
    {
        Require();
        return new FaultProxy(_address.Host, _address.Port, seed);
    }

    /// <summary>The connection string of a database through a proxy.</summary>
    /// <param name="port">The proxy's port.</param>
    /// <param name="database">The database.</param>
    /// <param name="change">What is to be otherwise; by default a driver discovers the replica set.</param>
    internal string Through(int port, IMongoDatabase database, Action<MongoUrlBuilder>? change = null) => Url(url =>
    {
        url.Server = new MongoServerAddress("127.0.0.1", port);
        url.ReplicaSetName = _replicaSet;
        url.DatabaseName = database.DatabaseNamespace.DatabaseName;
        change?.Invoke(url);
    });

    /// <summary>Lets the server gather the statistics by which it chooses indexes, where it can be asked to.</summary>
    public async Task AnalyzeAsync(CancellationToken cancellationToken)
    {
        if (_standIn is not null)
        {
            await using var source = NpgsqlDataSource.Create(_standIn.EngineConnectionString);
            await using var analyze = source.CreateCommand("ANALYZE");
            await analyze.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (_standIn is not null)
        {
            await _standIn.InitializeAsync();
            if (!_standIn.IsAvailable)
            {
                return;
            }

            _connectionString = _standIn.ConnectionString;
        }

        _client = new MongoClient(_connectionString);
        await AskAsync(_client.GetDatabase("admin"));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The stand-in's go with its directory.
        foreach (var name in _standIn is null ? _databases : [])
        {
            await _client!.DropDatabaseAsync(name);
        }

        _client?.Dispose();
        if (_standIn is not null)
        {
            await _standIn.DisposeAsync();
        }
    }

    private string Url(Action<MongoUrlBuilder> change)
    {
        var url = new MongoUrlBuilder(ConnectionString);
        // By default a user belongs to the database that the connection string names.
        url.AuthenticationSource ??= url.Username is null ? null : url.DatabaseName ?? "admin";
        change(url);
        return url.ToString();
    }

    private async Task AskAsync(IMongoDatabase admin)
    {
        var hello = await admin.RunCommandAsync<BsonDocument>(new BsonDocument("hello", 1), ReadPreference.Primary);
        _replicaSet = hello.TryGetValue("setName", out var set) ? set.AsString : null;
        _address = hello.TryGetValue("primary", out var primary) ? MongoServerAddress.Parse(primary.AsString) : admin.Client.Settings.Servers.First();
        Add(MongoFeature.Transactions, _replicaSet is not null || hello.GetValue("msg", "") == "isdbgrid");
        Add(MongoFeature.Members, hello.GetValue("hosts", new BsonArray()).AsBsonArray.Count > 1);
        Add(MongoFeature.SoleUse, _standIn is not null);
        Add(MongoFeature.ChangeStreams, await WatchesAsync(admin.Client.GetDatabase("probe").GetCollection<BsonDocument>("changes")));
        var user = "probe" + Guid.NewGuid().ToString("N");
        Add(MongoFeature.Users, admin.Client.Settings.Credential is not null
            && await TakesAsync(admin, new BsonDocument { { "createUser", user }, { "pwd", user }, { "roles", new BsonArray { "readAnyDatabase" } } })
            && await TakesAsync(admin, new BsonDocument("dropUser", user)));
    }

    private void Add(MongoFeature feature, bool has)
    {
        if (has)
        {
            _features.Add(feature);
        }
    }

    private static async Task<bool> WatchesAsync(IMongoCollection<BsonDocument> collection)
    {
        try
        {
            using var stream = await collection.WatchAsync();
            return true;
        }
        catch (MongoCommandException)
        {
            return false;
        }
    }

    private static async Task<bool> TakesAsync(IMongoDatabase admin, BsonDocument command)
    {
        try
        {
            await admin.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary);
            return true;
        }
        catch (MongoCommandException)
        {
            return false;
        }
    }
}
