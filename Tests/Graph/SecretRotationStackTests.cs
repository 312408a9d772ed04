using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>A stack of its own whose passwords are replaced while it answers requests.</summary>
[Collection(TestCollections.Cache)]
public sealed class SecretRotationStackTests(ITestOutputHelper output)
{
    private static readonly string[] s_rotated = ["mongo-api-password", "cache-api-password"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 280_000)]
    public async Task The_passwords_of_the_API_are_replaced_twice_and_no_request_fails_and_later_starts_know_the_new_ones()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The servers of the image run on Linux only.");
        var (data, run) = (Directory.CreateTempSubdirectory("platform-test-"), Directory.CreateTempSubdirectory("platform-run-"));
        string[] settings = [$"--Platform:StackFile={Path.Combine(run.FullName, "stack")}", "--Platform:Mongo:Members=1"];
        try
        {
            Dictionary<string, string> last;
            // Connections that rest are replaced at once, by ones that have to log in.
            var impatient = new Dictionary<string, string> { ["Mongo__MaxIdleTime"] = "00:00:01" };
            await using (var stack = new TestStack(data.FullName, settings: settings) { ApiSettings = impatient })
            {
                await stack.StartAsync(Cancel);
                await Wait.UntilAsync(
                    () => File.ReadAllText(Path.Combine(run.FullName, "stack")).Contains("address.mongo=", StringComparison.Ordinal), "the file is ready",
                    Cancel);
                var old = s_rotated.ToDictionary(name => name, name => PasswordOf(data, name));
                var order = await OrderAsync(stack);
                using var api = stack.App.CreateHttpClient(ResourceNames.Api, "http");
                using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
                var (failures, done) = (new ConcurrentQueue<string>(), 0);
                var callers = Enumerable.Range(0, 3).Select(caller => Task.Run(async () =>
                {
                    while (!end.IsCancellationRequested)
                    {
                        await CallAsync(orders: caller == 0);
                    }
                })).ToList();
                for (var i = 0; i < 2; i++)
                {
                    foreach (var name in s_rotated)
                    {
                        (await RunAsync(run, "rotate", name)).Expect(ExitCodes.Success);
                    }

                    // More at once than there are connections that did not rest, so that new ones log in; and those to Redis are cut.
                    var logins = LoginsOfApi(data);
                    await KillOfApiAsync(stack);
                    await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Task.Run(() => CallAsync(orders: false))));
                    await Wait.UntilAsync(() => LoginsOfApi(data) > logins, "the API has logged in to MongoDB again", Cancel);
                    await Wait.UntilAsync(async () => await ConnectionsOfApiAsync(stack) > 0, "the API has logged in to Redis again", Cancel);
                }

                // A process that starts later has the connection strings of then, and the passwords of now.
                var before = done;
                await Wait.UntilAsync(() => done > before + 10, "callers go on", Cancel);
                await end.CancelAsync();
                await Task.WhenAll(callers);
                Assert.Empty(failures);
                output.WriteLine($"{done} requests");
                await CommandAsync(stack, ResourceNames.Api, "restart");
                await stack.App.UntilHealthyAsync(ResourceNames.Api, TimeSpan.FromMinutes(2), Cancel);
                await CommandAsync(stack, ResourceNames.Cache, "restart");
                await stack.App.UntilHealthyAsync(ResourceNames.Cache, TimeSpan.FromMinutes(2), Cancel);

                last = s_rotated.ToDictionary(name => name, name => PasswordOf(data, name));
                Assert.All(s_rotated, name => Assert.NotEqual(old[name], last[name]));
                await AssertLoginsAsync(stack, old, last);
                var list = (await RunAsync(run, "list", "--json")).Expect(ExitCodes.Success);
                Assert.All(s_rotated, name => Assert.DoesNotContain(last[name], list.Output, StringComparison.Ordinal));

                async Task CallAsync(bool orders)
                {
                    try
                    {
                        using var request = orders ? order() : new HttpRequestMessage(
                            HttpMethod.Get,
                            // A word that no cache has.
                            new Uri(order().RequestUri!.OriginalString.Replace("orders", $"products?search={Guid.NewGuid():N}", StringComparison.Ordinal),
                                UriKind.Relative));
                        using var response = await api.SendAsync(request, Cancel);
                        // More than somebody may have is no failure.
                        if (!response.IsSuccessStatusCode && response.StatusCode != HttpStatusCode.TooManyRequests)
                        {
                            failures.Enqueue($"{request.RequestUri}: {response.StatusCode} {await response.Content.ReadAsStringAsync(Cancel)}");
                        }

                        Interlocked.Add(ref done, response.IsSuccessStatusCode ? 1 : 0);
                    }
                    catch (HttpRequestException exception)
                    {
                        failures.Enqueue(exception.Message);
                    }
                }
            }

            await using var again = new TestStack(data.FullName, settings: settings);
            await again.StartAsync(Cancel);
            Assert.All(s_rotated, name => Assert.Equal(last[name], PasswordOf(data, name)));
            await AssertLoginsAsync(again, s_rotated.ToDictionary(name => name, _ => "another"), last);
        }
        finally
        {
            run.Delete(recursive: true);
            await TestStack.RemoveDataAsync(data.FullName);
        }
    }

    private static string PasswordOf(DirectoryInfo data, string name) =>
        Assert.Single(new PasswordFile(Path.Combine(data.FullName, PasswordFile.DirectoryName, name)).Read());

    private static async Task CommandAsync(TestStack stack, string resource, string command)
    {
        var result = await stack.App.Services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync(resource, command, Cancel);
        Assert.True(result.Success, result.Message);
    }

    // Whom the log of logins names.
    private static int LoginsOfApi(DirectoryInfo data) => Directory
        .EnumerateFiles(Path.Combine(data.FullName, "audit"), "*.jsonl", SearchOption.AllDirectories).SelectMany(File.ReadAllLines)
        .Count(line => line.Contains("\"authenticate\"", StringComparison.Ordinal)
            && line.Contains(MongoNames.UserOf(ResourceNames.Database, ResourceNames.Api), StringComparison.Ordinal)
            && JsonDocument.Parse(line).RootElement.GetProperty("result").GetInt32() == 0);

    private static async Task AssertLoginsAsync(TestStack stack, Dictionary<string, string> old, Dictionary<string, string> last)
    {
        var mongo = (await stack.App.GetConnectionStringAsync(ResourceNames.Database, Cancel))!;
        var user = MongoNames.UserOf(ResourceNames.Database, ResourceNames.Api);
        foreach (var (password, isTaken) in new[] { (old[s_rotated[0]], false), (last[s_rotated[0]], true) })
        {
            using var client = StackClients.MongoAs(mongo, user, password);
            var refusal = await Record.ExceptionAsync(() => client.GetDatabase(ResourceNames.Database)
                .GetCollection<BsonDocument>(CollectionNames.Tenants).Find(new BsonDocument()).FirstAsync(Cancel));
            Assert.Equal(isTaken, refusal is null);
            Assert.Equal(!isTaken, MongoErrors.IsRefusedLogin(refusal));
        }

        foreach (var (password, isTaken) in new[] { (old[s_rotated[1]], false), (last[s_rotated[1]], true) })
        {
            var options = await stack.App.CacheOptionsAsync(Cancel);
            (options.User, options.Password) = ("api", password);
            var refusal = await Record.ExceptionAsync(async () => await (await ConnectionMultiplexer.ConnectAsync(options)).DisposeAsync());
            Assert.Equal(isTaken, refusal is null);
            Assert.True(isTaken || refusal is RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure }, refusal?.ToString());
        }
    }

    private static async Task<IServer> CacheAsync(TestStack stack, List<ConnectionMultiplexer> opened)
    {
        var options = await stack.App.CacheOptionsAsync(Cancel);
        options.AllowAdmin = true;
        opened.Add(await ConnectionMultiplexer.ConnectAsync(options));
        return Assert.Single(opened[^1].GetServers());
    }

    private static async Task KillOfApiAsync(TestStack stack)
    {
        List<ConnectionMultiplexer> opened = [];
        var server = await CacheAsync(stack, opened);
        Assert.True((int)await server.ExecuteAsync("CLIENT", "KILL", "USER", "api") > 0);
        await opened[0].DisposeAsync();
    }

    private static async Task<int> ConnectionsOfApiAsync(TestStack stack)
    {
        List<ConnectionMultiplexer> opened = [];
        var server = await CacheAsync(stack, opened);
        var count = ((string)(await server.ExecuteAsync("CLIENT", "LIST"))!).Split('\n').Count(line => line.Contains(" user=api ", StringComparison.Ordinal));
        await opened[0].DisposeAsync();
        return count;
    }

    // A request for an order that always can be had.
    private static async Task<Func<HttpRequestMessage>> OrderAsync(TestStack stack)
    {
        using var client = StackClients.Mongo(await stack.App.GetConnectionStringAsync(ResourceNames.Database, Cancel));
        var database = client.GetDatabase(ResourceNames.Database);
        var tenant = await database.GetCollection<BsonDocument>(CollectionNames.Tenants).Find(new BsonDocument()).FirstAsync(Cancel);
        var owned = new BsonDocument("tenantId", tenant["_id"]);
        var product = await database.GetCollection<BsonDocument>(CollectionNames.Products)
            .Find(new BsonDocument(owned).Add("status", "active")).FirstAsync(Cancel);
        var items = database.GetCollection<BsonDocument>(CollectionNames.Inventory);
        var item = await items.Find(new BsonDocument(owned).Add("productId", product["_id"])).FirstAsync(Cancel);
        await items.UpdateOneAsync(
            new BsonDocument("_id", item["_id"]).Add("tenantId", tenant["_id"]).Add("storeId", item["storeId"]).Add("productId", product["_id"]),
            new BsonDocument("$set", new BsonDocument { ["onHand"] = 1_000_000, ["reserved"] = 0 }), cancellationToken: Cancel);
        var customer = await database.GetCollection<BsonDocument>(CollectionNames.Customers).Find(owned).FirstAsync(Cancel);
        return () => new HttpRequestMessage(HttpMethod.Post, new Uri($"/tenants/{tenant["slug"]}/orders", UriKind.Relative))
        {
            Headers = { { "Idempotency-Key", Guid.NewGuid().ToString() } },
            Content = JsonContent.Create(new
            {
                customerId = customer["_id"].ToString(), storeId = item["storeId"].ToString(),
                lines = new[] { new { productId = product["_id"].ToString(), quantity = 1 } },
            }),
        };
    }

    // As './platform secrets' does.
    private static Task<ProgramResult> RunAsync(DirectoryInfo run, params string[] arguments)
    {
        var start = new ProcessStartInfo(BuiltProgram.Path("SecurityTool"), ["secrets", .. arguments]);
        foreach (var line in new[] { "secrets", "audit" }.SelectMany(name => File.ReadAllLines(Path.Combine(run.FullName, name))))
        {
            start.Environment[line.Split('=')[0]] = line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..];
        }

        start.Environment["Secrets__StackFile"] = Path.Combine(run.FullName, "stack");
        return ProgramResult.OfAsync(start, Cancel);
    }
}
