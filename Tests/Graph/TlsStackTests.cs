using System.Net.Sockets;
using System.Text;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Hosting.Security;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>A stack of its own with encrypted connections, and one without: what can be heard between the services and the servers.</summary>
[Collection(TestCollections.Cache)]
public sealed class TlsStackTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory(Timeout = 280_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_services_and_servers_say_to_each_other_can_be_heard_only_without_TLS(bool encrypted)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The servers of the image run on Linux only.");
        await using var stack = new TestStack(settings: [$"--Platform:Tls={encrypted}"]);
        await stack.StartAsync(Cancel);
        var connectionString = (await stack.App.GetConnectionStringAsync(ResourceNames.Database, Cancel))!;
        var redisOptions = await stack.App.CacheOptionsAsync(Cancel);
        int[] mongo = [.. MongoUrl.Create(connectionString).Servers.Select(server => server.Port)];
        var redis = ((System.Net.IPEndPoint)redisOptions.EndPoints.Single()).Port;
        using var api = stack.App.CreateHttpClient(ResourceNames.Api, "http");
        using var tap = WireTap.Start([.. mongo, redis, api.BaseAddress!.Port]);

        // A word that the tests write, the API reads from MongoDB, keeps in Redis, and answers.
        var word = "Overheard" + Guid.NewGuid().ToString("N");
        using var client = StackClients.Mongo(connectionString);
        var path = await NameAProductAsync(client.GetDatabase(ResourceNames.Database), word);
        Assert.Contains(word, await api.GetStringAsync(path, Cancel), StringComparison.Ordinal);
        await using var cache = await ConnectionMultiplexer.ConnectAsync(redisOptions);
        await Wait.UntilAsync(() => IsCachedAsync(cache, word), "Redis has the word", Cancel);

        // Its tail may be on its way still; the API's answers are not encrypted, so the tap hears.
        await Wait.UntilAsync(() => Hears(tap, api.BaseAddress.Port, word), "the tap hears", Cancel);
        Assert.NotEqual(encrypted, mongo.Any(port => Hears(tap, port, word)));
        Assert.NotEqual(encrypted, Hears(tap, redis, word));
        Assert.All([.. mongo, redis], port => Assert.NotEmpty(tap.HeardOf(port)));

        Assert.True(stack.App.ResourceNotifications.TryGetCurrentState(ResourceNames.Mongo, out var shown));
        var property = Assert.Single(shown.Snapshot.Properties, property => property.Name == EncryptedInTransit.Property).Value?.ToString();
        Assert.StartsWith(encrypted ? "TLS 1.2 and 1.3, certificate until " : "NOT ENCRYPTED", property, StringComparison.Ordinal);
        if (encrypted)
        {
            await AssertRefusedAsync([.. mongo, redis]);
            await AssertMongoshAsync(connectionString);
            await AssertFailsOverAsync(stack, api, path);
        }
    }

    private static async Task<string> NameAProductAsync(IMongoDatabase database, string word)
    {
        var products = database.GetCollection<BsonDocument>(CollectionNames.Products);
        var tenant = await database.GetCollection<BsonDocument>(CollectionNames.Tenants).Find(new BsonDocument("slug", "aurora-outdoor")).FirstAsync(Cancel);
        var product = await products.Find(new BsonDocument { { "tenantId", tenant["_id"] }, { "status", "active" } }).FirstAsync(Cancel);
        await products.UpdateOneAsync(
            new BsonDocument { { "tenantId", tenant["_id"] }, { "_id", product["_id"] } },
            new BsonDocument("$set", new BsonDocument("name", word)), null, Cancel);
        return $"/tenants/aurora-outdoor/products/{product["_id"]}";
    }

    private static async Task<bool> IsCachedAsync(ConnectionMultiplexer cache, string word)
    {
        var server = cache.GetServers().Single();
        await foreach (var key in server.KeysAsync(pattern: "platform:*"))
        {
            if (await cache.GetDatabase().KeyTypeAsync(key) == RedisType.Hash
                && (await cache.GetDatabase().HashValuesAsync(key)).Any(value => ((byte[])value!).AsSpan().IndexOf(Encoding.UTF8.GetBytes(word)) >= 0))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Hears(WireTap tap, int port, string word) => tap.HeardOf(port).AsSpan().IndexOf(Encoding.UTF8.GetBytes(word)) >= 0;

    // As whoever has an older client, or listens for what servers say to strangers.
    private static async Task AssertRefusedAsync(IEnumerable<int> ports)
    {
        foreach (var port in ports)
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync("127.0.0.1", port, Cancel);
            await tcp.GetStream().WriteAsync("PING\r\nPING\r\nPING\r\n"u8.ToArray(), Cancel);
            var answer = new byte[256];
            var length = 0;
            try
            {
                while (await tcp.GetStream().ReadAsync(answer.AsMemory(length), Cancel) is > 0 and var more)
                {
                    length += more;
                }
            }
            catch (IOException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
            {
                // Closed, as it should be.
            }

            Assert.DoesNotContain("PONG", Encoding.ASCII.GetString(answer, 0, length), StringComparison.Ordinal);
        }
    }

    private static async Task AssertMongoshAsync(string connectionString)
    {
        if (!Directory.Exists(Path.Combine(NodeTools.Modules, "mongosh")))
        {
            TestContext.Current.SendDiagnosticMessage("mongosh is missing: the connection string was not tried with it.");
            return;
        }

        var counted = await NodeTools.RunAsync(
            [NodeTools.Program("mongosh", "mongosh.js"), connectionString, "--quiet", "--norc", "--eval", "db.products.countDocuments() > 0"]);
        Assert.Equal("true", counted.Expect(0).Output.Trim());
    }

    private static async Task AssertFailsOverAsync(TestStack stack, HttpClient api, string path)
    {
        foreach (var command in (string[])["step-down-primary", "kill-primary"])
        {
            var gone = await stack.App.ResourceCommands.ExecuteCommandAsync(ResourceNames.Mongo, command, Cancel);
            Assert.True(gone.Success, gone.Message);
            await stack.App.UntilHealthyAsync(ResourceNames.Mongo, s_patience, Cancel);
            await Wait.UntilAsync(
                async () =>
                {
                    // The list is not kept by the cache under the word's key.
                    using var answer = await api.GetAsync("/tenants/aurora-outdoor/products?limit=5", Cancel);
                    return answer.IsSuccessStatusCode;
                },
                $"the API serves after {command}",
                Cancel);
        }

        Assert.NotEmpty(await api.GetStringAsync(path, Cancel));
    }
}
