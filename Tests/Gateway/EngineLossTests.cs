using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Gateway;
using Platform.Gateway.Backend;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>PostgreSQL goes and comes back. These tests stop the backend, so they have a gateway of their own.</summary>
public sealed class EngineLossTests(GatewayFixture gateway) : IClassFixture<GatewayFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commands_wait_for_a_restart_of_the_engine_and_then_succeed()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        await gateway.StopPostgresAsync();
        // Meets dead connections; the driver is told to look for the primary again and finds it when it is back.
        var write = documents.InsertOneAsync(new BsonDocument("_id", 2), null, Cancel);
        var read = documents.CountDocumentsAsync("{}", null, Cancel);
        Assert.False(write.IsCompletedSuccessfully);
        await gateway.StartPostgresAsync();
        await write;
        await read;
        Assert.Equal(2, await documents.CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task A_transaction_that_loses_the_engine_may_be_run_again()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "n", 0 } }, null, Cancel);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        var attempts = 0;
        await session.WithTransactionAsync(
            async (s, cancel) =>
            {
                await documents.UpdateOneAsync(s, "{}", Builders<BsonDocument>.Update.Inc("n", 1), null, cancel);
                if (++attempts == 1)
                {
                    await gateway.StopPostgresAsync();
                    await gateway.StartPostgresAsync();
                }

                return await documents.UpdateOneAsync(s, "{}", Builders<BsonDocument>.Update.Inc("n", 1), null, cancel);
            },
            cancellationToken: Cancel);
        Assert.Equal(2, attempts);
        Assert.Equal(2, (await documents.Find("{}").SingleAsync(Cancel))["n"]);
    }

    [Fact]
    public async Task A_gateway_without_an_engine_gives_up_with_a_sentence()
    {
        gateway.Require();
        await using var lonely = GatewayFixture.Build(
            FreePort.Find(), "Host=/nonexistent;Username=postgres;Database=postgres", "--Gateway:StartupTimeout=00:00:00.500");
        var error = await Assert.ThrowsAsync<BackendStartupException>(() => GatewayApplication.StartAsync(lonely, Cancel));
        Assert.StartsWith("PostgreSQL did not answer within", error.Message, StringComparison.Ordinal);
        await lonely.StopAsync(Cancel);
    }

    [Theory]
    [InlineData("--Gateway:Port=70000", "Gateway:Port is 70000, but must be from 1 to 65535.")]
    [InlineData("--Gateway:RootPassword=", "Gateway:RootPassword is missing.")]
    [InlineData("--Gateway:RootUsername=postgres", "Gateway:RootUsername 'postgres' is a name that the backend keeps for itself.")]
    [InlineData("--Gateway:BindAddress=here", "Gateway:BindAddress 'here' is not an IP address.")]
    [InlineData("--Gateway:AdvertisedHost=nowhere", "Gateway:AdvertisedHost 'nowhere' is not of the form host:port.")]
    [InlineData("--ConnectionStrings:postgres=", "ConnectionStrings:postgres is missing.")]
    public void A_wrong_setting_is_named(string setting, string sentence)
    {
        var error = Assert.Throws<OptionsValidationException>(() => GatewayFixture.Build(27017, "Host=/x", setting));
        Assert.Contains(sentence, error.Failures);
    }
}
