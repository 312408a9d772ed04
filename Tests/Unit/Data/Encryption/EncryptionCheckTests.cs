using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Servers;
using NSubstitute;
using NSubstitute.ExceptionExtensions;
using Platform.Data.Encryption;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Encryption;

/// <summary>What a program is told at its start of a vault that it cannot use.</summary>
public sealed class EncryptionCheckTests : IDisposable
{
    private static readonly ConnectionId s_connection = new(new ServerId(new ClusterId(), new DnsEndPoint("server", 1)));

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("check");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Who_has_a_master_key_and_may_not_read_the_keys_is_told_and_does_not_wait()
    {
        using var configured = Configured(Refusing(13), hasMaster: true);
        var refused = await Assert.ThrowsAsync<DatabaseRefusedException>(() => Check(configured, Refusing(13)).CheckAsync(Token));
        Assert.Equal("The user may not read _keyVault: run 'migrator access apply'.", refused.Message);
    }

    [Fact]
    public async Task Whatever_else_the_server_says_is_waited_for()
    {
        using var configured = Configured(Refusing(11600), hasMaster: true);
        await Assert.ThrowsAsync<MongoCommandException>(() => Check(configured, Refusing(11600)).CheckAsync(Token));
    }

    [Fact]
    public async Task Who_has_no_master_key_and_may_not_read_the_keys_stores_plain()
    {
        using var configured = Configured(Refusing(13), hasMaster: false);
        await Check(configured, Refusing(13)).CheckAsync(Token);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static EncryptionCheck Check(ConfiguredEncryption configured, IMongoDatabase database) =>
        new(configured, database, NullLogger<EncryptionCheck>.Instance);

    private ConfiguredEncryption Configured(IMongoDatabase database, bool hasMaster)
    {
        var options = new EncryptionOptions();
        if (hasMaster)
        {
            options.MasterKeyFile = Path.Combine(_directory.FullName, "master.key");
            OwnerOnly.Write(options.MasterKeyFile, MasterKey.Create().ToText());
        }

        Assert.True(new EncryptionOptions.Validator().Validate(Options.DefaultName, options).Succeeded);
        return new ConfiguredEncryption(Options.Create(options), database, TimeProvider.System);
    }

    private static IMongoDatabase Refusing(int code)
    {
        var keys = Substitute.For<IMongoCollection<BsonDocument>>();
        keys.WithReadPreference(default).ReturnsForAnyArgs(keys);
        keys.WithReadConcern(default).ReturnsForAnyArgs(keys);
        keys.WithWriteConcern(default).ReturnsForAnyArgs(keys);
        keys.FindAsync<BsonDocument>(default(FilterDefinition<BsonDocument>), default, default)
            .ThrowsAsyncForAnyArgs(new MongoCommandException(s_connection, "no", [], new BsonDocument("code", code)));
        var database = Substitute.For<IMongoDatabase>();
        database.DatabaseNamespace.Returns(new DatabaseNamespace("unit"));
        database.GetCollection<BsonDocument>(CollectionNames.KeyVault).Returns(keys);
        return database;
    }
}
