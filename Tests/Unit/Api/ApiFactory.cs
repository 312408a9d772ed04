using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using NSubstitute;
using Platform.Api.Migrations;
using Platform.Api.Orders;
using Platform.Api.Problems;
using Platform.Api.Products;
using Platform.Api.Reports;
using Platform.Api.Stores;
using Platform.Api.Tenants;
using Platform.Mongo.Connections;
using Platform.Data.Documents;
using Platform.Tests.Unit.Data.Connections;
using StackExchange.Redis;

namespace Platform.Tests.Unit.Api;

/// <summary>
/// The real API over substitutes for what reads the database. Redis is away, unless a test puts a connection in place.
/// (A type of the API stands for its assembly, since other programs have a Program of their own.)
/// </summary>
public sealed class ApiFactory : WebApplicationFactory<RequestErrors>
{
    public const string CursorKey = "the key of the tests, which is long enough";

    public static readonly Tenant Acme = NewTenant("acme");

    public ITenantDirectory Tenants { get; } = Substitute.For<ITenantDirectory>();

    public IProductCatalogue Products { get; } = Substitute.For<IProductCatalogue>();

    public IStoreFinder Stores { get; } = Substitute.For<IStoreFinder>();

    public IReports Reports { get; } = Substitute.For<IReports>();

    public IOrderBook Orders { get; } = Substitute.For<IOrderBook>();

    /// <summary>The history of the database: all that the API knows is applied, unless a test says otherwise.</summary>
    public IRecordedMigrations Migrations { get; } = Substitute.For<IRecordedMigrations>();

    /// <summary>What start-up and health see of MongoDB; answers unless a test says otherwise.</summary>
    public FakeMongoProbe Mongo { get; } = new();

    /// <summary>Further settings; set before the first request.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    /// <summary>Told everything that the API logs, if anybody wants it.</summary>
    public ILoggerProvider? Logs { get; set; }

    public Func<IConnectionMultiplexer> Redis { get; set; } =
        () => throw new RedisConnectionException(ConnectionFailureType.UnableToConnect, "Redis is away.");

    public ApiFactory()
    {
        Migrations.ReadAsync(default).ReturnsForAnyArgs([.. KnownMigrations.All.Select(id => new RecordedMigration(id, "applied", IsBreaking: false))]);
        Tenants.FindAsync(Acme.Slug, Arg.Any<CancellationToken>()).Returns(Acme);
        Products.IsPosition(Arg.Any<ProductOrder>(), Arg.Any<BsonDocument>()).Returns(true);
        Products.ListAsync(default, null!, null, default, default).ReturnsForAnyArgs(new ProductSlice([], null));
        Stores.FindNearAsync(default, default, default, default, default, default).ReturnsForAnyArgs([]);
    }

    public static Tenant NewTenant(string slug) => new()
    {
        Id = ObjectId.GenerateNewId(),
        Slug = slug,
        Name = slug,
        Currency = "EUR",
        Status = TenantStatus.Active,
        CreatedAt = DateTime.UnixEpoch,
        UpdatedAt = DateTime.UnixEpoch,
    };

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Production");
        // Nothing listens on the discard port; no test may come that far.
        builder.UseSetting("ConnectionStrings:platform", "mongodb://127.0.0.1:9/platform");
        builder.UseSetting("ConnectionStrings:cache", "127.0.0.1:9");
        builder.UseSetting("Paging:CursorKey", CursorKey);
        // Nobody is asked who it is, unless a test says otherwise.
        builder.UseSetting("Api:Authentication:Mode", "Gateway");
        // What a test's substitutes are asked is what the test asks.
        builder.UseSetting("Cache:Warming", "false");
        foreach (var (key, value) in Settings)
        {
            builder.UseSetting(key, value);
        }

        builder.ConfigureLogging(logging =>
        {
            logging.ClearProviders();
            if (Logs is not null)
            {
                logging.AddProvider(Logs);
            }
        });
        builder.ConfigureTestServices(services =>
        {
            services.AddSingleton(Migrations);
            services.AddSingleton(Tenants);
            services.AddSingleton(Products);
            services.AddSingleton(Stores);
            services.AddSingleton(Orders);
            services.AddSingleton(Reports);
            services.AddSingleton(_ => Redis());
            services.AddSingleton<IMongoProbe>(Mongo);
            // There is no database that could be looked at.
            services.RemoveAll<IDatabaseCheck>();
        });
    }
}
