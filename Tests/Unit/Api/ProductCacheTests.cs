using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using NSubstitute;
using NSubstitute.ExceptionExtensions;
using Platform.Api.Caching;
using Platform.Api.Contracts;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class ProductCacheTests
{
    private static readonly ObjectId TenantId = ObjectId.Parse("65f000000000000000000001");
    private static readonly ObjectId ProductId = ObjectId.Parse("65f000000000000000000002");
    private static readonly ProductDetails Product = new(
        ProductId.ToString(), "L-1", "Lamp", "Gives light", "65f000000000000000000003", 12.50m, "EUR", ["light"], 3, [new("65f000000000000000000004", 3)],
        DateTime.UnixEpoch);

    private static readonly byte[] s_json = JsonSerializer.SerializeToUtf8Bytes(Product, JsonSerializerOptions.Web);

    private readonly IDatabase _redis = Substitute.For<IDatabase>();

    // Instead of the substitute, where more is asked of Redis.
    private IConnectionMultiplexer? _connection;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Keys_start_with_the_tenant()
    {
        Assert.Equal("platform:v1:65f000000000000000000001:product:65f000000000000000000002", CacheKeys.Product(TenantId, ProductId));
        Assert.Equal("platform:v1:65f000000000000000000001:product-changes:65f000000000000000000002", CacheKeys.ProductChanges(TenantId, ProductId));
    }

    [Fact]
    public async Task An_entry_is_a_hit_and_the_database_is_not_asked()
    {
        Holds(s_json);

        var (product, hit) = await Cache().GetAsync(TenantId, ProductId, _ => throw new InvalidOperationException("asked"), Cancellation);

        Assert.True(hit);
        Assert.Equal(s_json, product.ToArray());
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("{\"id\":\"65f000000000000000000009\",\"sku\":\"L-2\"}")]
    [InlineData("{\"id\":\"65f000000000000000000002\",\"sku\":\"L-")]
    public async Task An_entry_that_is_no_product_is_a_miss(string entry)
    {
        Holds(Encoding.UTF8.GetBytes(entry));

        var (product, hit) = await Cache().GetAsync(TenantId, ProductId, Load, Cancellation);

        Assert.False(hit);
        Assert.Equal(s_json, product.ToArray());
    }

    [Fact]
    public async Task A_Redis_that_fails_is_a_miss()
    {
        foreach (var failure in new Exception[]
        {
            new RedisConnectionException(ConnectionFailureType.SocketClosed, "gone"),
            new RedisTimeoutException("late", CommandStatus.Sent),
            new RedisServerException("LOADING"),
        })
        {
            _redis.StringGetAsync((RedisKey[])null!, default).ThrowsAsyncForAnyArgs(failure);

            Loaded(await Cache().GetAsync(TenantId, ProductId, Load, Cancellation));
        }
    }

    [Fact]
    public async Task A_Redis_that_does_not_answer_is_a_miss_when_the_patience_ends()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        _redis.StringGetAsync((RedisKey[])null!, default).ReturnsForAnyArgs(_ =>
        {
            asked.SetResult();
            return new TaskCompletionSource<RedisValue[]>().Task;
        });

        var answer = Cache(time).GetAsync(TenantId, ProductId, Load, Cancellation);
        await asked.Task;
        // The wait begins just after the call returns; time moves until it is over.
        while (!answer.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Loaded(await answer);
    }

    [Fact]
    public async Task A_Redis_that_fails_again_and_again_is_left_alone_for_a_while()
    {
        var time = new FakeTimeProvider();
        var asked = 0;
        Exception? failure = new RedisTimeoutException("late", CommandStatus.Sent);
        _redis.StringGetAsync((RedisKey[])null!, default).ReturnsForAnyArgs(_ =>
        {
            asked++;
            return failure is null ? Task.FromResult<RedisValue[]>([RedisValue.Null, RedisValue.Null]) : Task.FromException<RedisValue[]>(failure);
        });
        var cache = Cache(time);
        for (var i = 0; i < 20; i++)
        {
            Loaded(await cache.GetAsync(TenantId, ProductId, Load, Cancellation));
        }

        Assert.InRange(asked, 1, 3);
        asked = 0;
        time.Advance(new ProductCacheOptions().Rest);
        await cache.GetAsync(TenantId, ProductId, Load, Cancellation);
        await cache.GetAsync(TenantId, ProductId, Load, Cancellation);
        Assert.Equal(1, asked);

        failure = null;
        time.Advance(new ProductCacheOptions().Rest);
        await cache.GetAsync(TenantId, ProductId, Load, Cancellation);
        await cache.GetAsync(TenantId, ProductId, Load, Cancellation);
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task Changes_made_while_Redis_is_left_alone_are_owed_to_it()
    {
        var time = new FakeTimeProvider();
        Holds(s_json);
        var batch = Substitute.For<IBatch>();
        _redis.CreateBatch().Returns(batch);
        batch.KeyDeleteAsync((RedisKey)"", default).ThrowsAsyncForAnyArgs(new RedisConnectionException(ConnectionFailureType.SocketClosed, "gone"));
        var cache = Cache(time);
        for (var i = 0; i < 4; i++)
        {
            await cache.InvalidateAsync(TenantId, [ProductId]);
        }

        time.Advance(new ProductCacheOptions().Rest);
        Assert.False((await cache.GetAsync(TenantId, ProductId, Load, Cancellation)).Hit);
    }

    [Fact]
    public async Task A_product_that_does_not_exist_is_not_stored()
    {
        Holds(RedisValue.Null);

        var (product, hit) = await Cache().GetAsync(TenantId, ProductId, _ => Task.FromResult<ProductDetails?>(null), Cancellation);

        Assert.True(product.IsEmpty);
        Assert.False(hit);
        await _redis.DidNotReceiveWithAnyArgs().ScriptEvaluateAsync((string)null!, null, null);
    }

    [Fact]
    public async Task Invalidation_with_Redis_away_does_not_fail()
    {
        var cache = Cache(connect: () => throw new RedisConnectionException(ConnectionFailureType.UnableToConnect, "away"));

        await cache.InvalidateAsync(TenantId, [ProductId]);
    }

    [Fact]
    public async Task After_a_lost_invalidation_the_old_entry_is_not_believed_until_Redis_was_told()
    {
        Holds(s_json);
        var batch = Substitute.For<IBatch>();
        _redis.CreateBatch().Returns(batch);
        batch.KeyDeleteAsync((RedisKey)"", default).ThrowsAsyncForAnyArgs(new RedisServerException("READONLY"));
        var cache = Cache();
        Assert.True((await cache.GetAsync(TenantId, ProductId, Load, Cancellation)).Hit);

        await cache.InvalidateAsync(TenantId, [ProductId]);
        var whileOwed = await cache.GetAsync(TenantId, ProductId, Load, Cancellation);
        batch.KeyDeleteAsync((RedisKey)"", default).ReturnsForAnyArgs(true);
        await cache.GetAsync(TenantId, ProductId, Load, Cancellation);
        var settled = await cache.GetAsync(TenantId, ProductId, Load, Cancellation);

        Assert.False(whileOwed.Hit);
        Assert.True(settled.Hit);
    }

    [Fact]
    public async Task What_was_read_before_a_change_is_not_stored_however_long_ago_the_change_is()
    {
        // Redis, as far as it matters here. A mark that is forgotten must not make an old one true again.
        var store = new Dictionary<string, RedisValue>();
        Answers(store);
        var cache = Cache();

        var (product, _) = await cache.GetAsync(
            TenantId,
            ProductId,
            async _ =>
            {
                await cache.InvalidateAsync(TenantId, [ProductId]);
                // The mark of the change has expired while the old product was on its way.
                store.Remove(CacheKeys.ProductChanges(TenantId, ProductId));
                return Product;
            },
            Cancellation);

        Assert.Equal(s_json, product.ToArray());
        Assert.DoesNotContain(CacheKeys.Product(TenantId, ProductId), store.Keys);

        // The next one finds no change, and is stored.
        await cache.GetAsync(TenantId, ProductId, Load, Cancellation);
        Assert.Contains(CacheKeys.Product(TenantId, ProductId), store.Keys);
    }

    [Fact]
    public async Task No_two_changes_leave_the_same_mark()
    {
        var store = new Dictionary<string, RedisValue>();
        Answers(store);
        var cache = Cache();
        var marks = new HashSet<RedisValue>();
        for (var i = 0; i < 200; i++)
        {
            await cache.InvalidateAsync(TenantId, [ProductId]);
            Assert.True(marks.Add(store[CacheKeys.ProductChanges(TenantId, ProductId)]));
            store.Clear();
        }
    }

    private static void Loaded(CachedProduct answer)
    {
        Assert.False(answer.Hit);
        Assert.Equal(s_json, answer.Json.ToArray());
    }

    private static Task<ProductDetails?> Load(CancellationToken cancellationToken) => Task.FromResult<ProductDetails?>(Product);

    // A Redis that keeps what it is told, as far as it is asked here.
    private void Answers(Dictionary<string, RedisValue> store)
    {
        _connection = Interception<IConnectionMultiplexer>.Of(null, (_, _, _) => Database());

        IDatabase Database() => Interception<IDatabase>.Of(null, (method, arguments, _) => method.Name switch
        {
            nameof(IDatabase.CreateBatch) => Interception<IBatch>.Of(null, (batched, values, _) => Run(batched, values)),
            _ => Run(method, arguments),
        });

        object? Run(MethodInfo method, object?[] arguments)
        {
            switch (method.Name)
            {
                case nameof(IDatabase.StringGetAsync):
                    return Task.FromResult(((RedisKey[])arguments[0]!).Select(key => store.GetValueOrDefault(key.ToString())).ToArray());
                case nameof(IDatabase.StringSetAsync):
                    var refused = arguments.Any(argument => argument is When.NotExists) && store.ContainsKey(arguments[0]!.ToString()!);
                    if (!refused)
                    {
                        store[arguments[0]!.ToString()!] = (RedisValue)arguments[1]!;
                    }

                    return Task.FromResult(!refused);
                case nameof(IDatabase.ScriptEvaluateAsync):
                    // Store if the mark is still the one that was seen.
                    var (keys, values) = ((RedisKey[])arguments[1]!, (RedisValue[])arguments[2]!);
                    var holds = store.TryGetValue(keys[1].ToString(), out var mark) && mark == values[0];
                    if (holds)
                    {
                        store[keys[0].ToString()] = values[1];
                    }

                    return Task.FromResult(RedisResult.Create(holds ? 1 : 0, ResultType.Integer));
                case nameof(IDatabase.KeyDeleteAsync):
                    return Task.FromResult(store.Remove(arguments[0]!.ToString()!));
                case nameof(IBatch.Execute):
                    return null;
                default:
                    return Task.FromResult(true);
            }
        }
    }

    private void Holds(RedisValue entry) =>
        _redis.StringGetAsync((RedisKey[])null!, default).ReturnsForAnyArgs([entry, RedisValue.Null]);

    private ProductCache Cache(TimeProvider? time = null, Func<IConnectionMultiplexer>? connect = null)
    {
        var connection = _connection ?? Substitute.For<IConnectionMultiplexer>();
        if (_connection is null)
        {
            connection.GetDatabase().ReturnsForAnyArgs(_redis);
        }

        return new ProductCache(
            connect ?? (() => connection), Options.Create(new ProductCacheOptions { Patience = TimeSpan.FromSeconds(30) }), time ?? TimeProvider.System,
            NullLogger<ProductCache>.Instance);
    }
}
