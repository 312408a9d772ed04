using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Tenancy;
using Platform.Data.Queries;
using Platform.Data.Validation;
using Platform.Migrator.Structure;
using Xunit;

namespace Platform.Tests.Server.Indexes;

/// <summary>100,000 products of three tenants and what belongs to them, with the catalogue's indexes; loaded once for all tests of a class.</summary>
public sealed class LoadedShop(MongoServer server) : IAsyncLifetime
{
    private readonly Dictionary<string, BsonDocument> _samples = [];
    private IMongoDatabase? _database;

    /// <summary>The database; skips the test when there is no server.</summary>
    public IMongoDatabase Database
    {
        get
        {
            server.Require();
            return _database!;
        }
    }

    /// <summary>The database as the platform sees it.</summary>
    public PlatformDatabase Platform => new(Database);

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (server.Features.Count == 0)
        {
            return;
        }

        _database = server.NewDatabase();
        await new ShopData(products: 100_000, others: 10_000).LoadAsync(_database, CancellationToken.None);
        // The rules on documents are others' concern.
        await new CatalogueSynchroniser(
            _database,
            TimeProvider.System,
            NullLogger<CatalogueSynchroniser>.Instance,
            new ValidationOptions { Level = "moderate" }).ApplyAsync(allowDrop: false, CancellationToken.None);
        await server.AnalyzeAsync(CancellationToken.None);
        // A server that cannot be asked to gather statistics does so by itself.
        var list = new BsonDocument
        {
            { "find", "products" }, { "filter", new BsonDocument { { "tenantId", ShopData.Tenants[0] }, { "status", "active" } } },
            { "sort", ProductQueries.NewestFirst }, { "limit", 21 },
        };
        var plan = await Plan.OfAsync(_database, list, CancellationToken.None);
        await Wait.UntilAsync(
            async () => (plan = await Plan.OfAsync(_database, list, CancellationToken.None)).Indexes.SequenceEqual(["active_newest"]),
            () => $"the newest products are found by their index: {plan}",
            TimeSpan.FromMinutes(3),
            CancellationToken.None);
    }

    /// <summary>A document of the first tenant with a value in every field that queries ask for.</summary>
    public async Task<BsonDocument> SampleAsync(string collection, CancellationToken cancellationToken)
    {
        if (!_samples.TryGetValue(collection, out var sample))
        {
            var filter = collection switch
            {
                "tenants" => new BsonDocument("status", "active"),
                "categories" => new BsonDocument { { "tenantId", ShopData.Tenants[0] }, { "parentId", new BsonDocument("$exists", true) } },
                "products" => new BsonDocument { { "tenantId", ShopData.Tenants[0] }, { "status", "active" } },
                _ => new BsonDocument("tenantId", ShopData.Tenants[0]),
            };
            sample = await Database.GetCollection<BsonDocument>(collection).Find(filter).Skip(collection == "tenants" ? 1 : 100).FirstAsync(cancellationToken);
            _samples.TryAdd(collection, sample);
        }

        return sample;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
