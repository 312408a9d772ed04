using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Caching.Servers;
using Platform.Mongo.Connections;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Server.Security;

/// <summary>Passwords of programs are replaced while clients log in all the time.</summary>
public sealed class SecretRotationTests(MongoServer mongo) : IAsyncLifetime
{
    private const string Role = "read";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("rotation-");
    private readonly string _database = $"rotation{Guid.NewGuid():N}";
    private RedisProcess _redis = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string UserFile => Path.Combine(_directory.FullName, "secrets.json");

    private string Data => Path.Combine(_directory.FullName, "data");

    private string User => MongoNames.UserOf(_database, ResourceNames.Api);

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        mongo.Require(MongoFeature.Users);
        _redis = await RedisProcess.StartAsync(Cancel);
        OwnerOnly.MakeDirectory(Data);
        OwnerOnly.MakeDirectory(Path.Combine(Data, PasswordFile.DirectoryName));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task No_login_to_MongoDB_fails_while_the_password_is_replaced_twice_and_the_old_one_is_refused()
    {
        var first = RandomNumberGenerator.GetHexString(22);
        var admin = mongo.Client.GetDatabase("admin");
        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument
            {
                { "createUser", User }, { "pwd", first }, { "roles", new BsonArray { new BsonDocument { { "role", Role }, { "db", _database } } } },
            },
            cancellationToken: Cancel);
        try
        {
            var file = Keep("mongo-api-password", first);
            var url = new MongoUrlBuilder(mongo.ConnectionString) { Username = User, Password = first, AuthenticationSource = "admin" }.ToMongoUrl();

            // One that stays, and each moment a new one.
            var settings = MongoClientSettings.FromUrl(url);
            settings.LogInBy(file.Path);
            using var kept = new MongoClient(settings);
            var failures = await WhileRotatingAsync(
                "mongo-api-password",
                async cancellationToken =>
                {
                    var fresh = MongoClientSettings.FromUrl(url);
                    fresh.LogInBy(file.Path);
                    // A cluster of its own, and so a login.
                    fresh.ApplicationName = Guid.NewGuid().ToString("N");
                    using var client = new MongoClient(fresh);
                    await client.GetDatabase(_database).GetCollection<BsonDocument>("any").Find(FilterDefinition<BsonDocument>.Empty)
                        .FirstOrDefaultAsync(cancellationToken);
                    await kept.GetDatabase(_database).GetCollection<BsonDocument>("any").Find(FilterDefinition<BsonDocument>.Empty)
                        .FirstOrDefaultAsync(cancellationToken);
                });
            Assert.Empty(failures);
            var now = AssertKept("mongo-api-password", file, first);

            Assert.True(await LogsInAsync(now));
            Assert.False(await LogsInAsync(first));
        }
        finally
        {
            await admin.RunCommandAsync<BsonDocument>(new BsonDocument("dropUser", User), cancellationToken: CancellationToken.None);
        }

        async Task<bool> LogsInAsync(string password)
        {
            var settings = MongoClientSettings.FromUrl(
                new MongoUrlBuilder(mongo.ConnectionString) { Username = User, Password = password, AuthenticationSource = "admin" }.ToMongoUrl());
            settings.ApplicationName = Guid.NewGuid().ToString("N");
            settings.ServerSelectionTimeout = TimeSpan.FromSeconds(5);
            using var client = new MongoClient(settings);
            try
            {
                await client.GetDatabase(_database).GetCollection<BsonDocument>("any").Find(FilterDefinition<BsonDocument>.Empty).FirstOrDefaultAsync(Cancel);
                return true;
            }
            catch (Exception exception) when (MongoErrors.IsRefusedLogin(exception))
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task No_login_to_Redis_fails_while_the_password_is_replaced_twice_and_the_old_one_is_refused()
    {
        var first = _redis.Password;
        var file = Keep("cache-api-password", first);
        await using var kept = await ConnectAsync(file.Path);
        var failures = await WhileRotatingAsync(
            "cache-api-password",
            async _ =>
            {
                await using var fresh = await ConnectAsync(file.Path);
                await fresh.GetDatabase().PingAsync();
                await kept.GetDatabase().PingAsync();
            });
        Assert.Empty(failures);
        var now = AssertKept("cache-api-password", file, first);

        Assert.True(await LogsInAsync(now));
        Assert.False(await LogsInAsync(first));

        // Who has its connection cut logs in with the password of now.
        await using var admin = await ConnectionMultiplexer.ConnectAsync(_redis.ConnectionString + ",allowAdmin=true");
        await Assert.Single(admin.GetServers()).ExecuteAsync("CLIENT", "KILL", "USER", "api");
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    await kept.GetDatabase().PingAsync();
                    return true;
                }
                catch (RedisException)
                {
                    return false;
                }
            },
            "the connection is back", Cancel);

        async Task<bool> LogsInAsync(string password)
        {
            try
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{_redis.Port},user=api,password={password}");
                return true;
            }
            catch (RedisConnectionException exception) when (exception.FailureType == ConnectionFailureType.AuthenticationFailure)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task A_rotation_that_a_server_does_not_end_leaves_programs_both_passwords_and_says_how_it_goes_on()
    {
        // There is no such user in MongoDB.
        var file = Keep("mongo-seeder-password", "old-password");
        var result = await RotateAsync("mongo-seeder-password");
        Assert.Equal(ExitCodes.Failure, result.ExitCode);
        Assert.StartsWith(
            $"secrets: MongoDB did not change the password of {MongoNames.UserOf(_database, ResourceNames.Seeder)}: ", result.Errors, StringComparison.Ordinal);
        Assert.Contains("The same command goes on from there", Assert.Single(result.Errors.Trim().Split('\n')), StringComparison.Ordinal);
        Assert.Equal(["old-password", file.Read()[^1]], file.Read());
        Assert.NotEqual("old-password", file.Read()[^1]);
        Assert.Contains("old-password", await File.ReadAllTextAsync(UserFile, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_read_at_a_start_alone_is_refused_while_the_stack_runs()
    {
        OwnerOnly.Write(UserFile, "{ \"Parameters:cursor-key\": \"value\" }");
        var result = await RotateAsync("cursor-key");
        Assert.Equal(ExitCodes.Refused, result.ExitCode);
        Assert.Equal(
            "secrets: The stack is running, and cursor-key is read at a start alone: './platform stop' ends it, then it can be replaced.",
            result.Errors.Trim());
        Assert.Contains("value", await File.ReadAllTextAsync(UserFile, Cancel), StringComparison.Ordinal);
    }

    private Task<ConnectionMultiplexer> ConnectAsync(string file)
    {
        var options = ConfigurationOptions.Parse(_redis.ApiConnectionString);
        options.LogInBy(file);
        return ConnectionMultiplexer.ConnectAsync(options);
    }

    private PasswordFile Keep(string name, string password)
    {
        OwnerOnly.Write(UserFile, $"{{ \"Parameters:{name}\": \"{password}\" }}");
        var file = new PasswordFile(Path.Combine(Data, PasswordFile.DirectoryName, name));
        file.Write(password);
        return file;
    }

    private string AssertKept(string name, PasswordFile file, string first)
    {
        var now = Assert.Single(file.Read());
        Assert.NotEqual(first, now);
        using var secrets = JsonDocument.Parse(File.ReadAllText(UserFile));
        Assert.Equal(now, secrets.RootElement.GetProperty($"Parameters:{name}").GetString());
        var log = string.Concat(
            Directory.EnumerateFiles(Path.Combine(_directory.FullName, "audit"), "*.jsonl", SearchOption.AllDirectories).Select(File.ReadAllText));
        // Each of the two as it begins and as it ends.
        Assert.Equal(4, log.Split("secretRotate").Length - 1);
        Assert.DoesNotContain(now, log, StringComparison.Ordinal);
        return now;
    }

    // What failed of logins that go on from before the first rotation until after the second.
    private async Task<IReadOnlyList<string>> WhileRotatingAsync(string name, Func<CancellationToken, Task> logIn)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var failures = new List<string>();
        var done = 0;
        var clients = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                try
                {
                    await logIn(Cancel);
                    Interlocked.Increment(ref done);
                }
                catch (Exception exception) when (exception is MongoException or RedisException or TimeoutException or IOException)
                {
                    lock (failures)
                    {
                        failures.Add(exception.ToString());
                    }
                }
            }
        })).ToList();
        await Wait.UntilAsync(() => Volatile.Read(ref done) > 3, "clients log in", Cancel);
        for (var i = 0; i < 2; i++)
        {
            (await RotateAsync(name)).Expect(ExitCodes.Success);
            var before = Volatile.Read(ref done);
            await Wait.UntilAsync(() => Volatile.Read(ref done) > before + 3, "clients log in again", Cancel);
        }

        await end.CancelAsync();
        await Task.WhenAll(clients);
        return failures;
    }

    private Task<ProgramResult> RotateAsync(string name)
    {
        var stack = Path.Combine(_directory.FullName, "stack");
        var address = new MongoUrlBuilder(mongo.ConnectionString) { DatabaseName = _database };
        if (address.AuthenticationSource is null && address.Username is not null)
        {
            address.AuthenticationSource = "admin";
        }

        File.WriteAllLines(stack, ["state=ready", $"address.mongo={address}", $"address.redis={_redis.ConnectionString}", $"data={Data}"]);
        return ProgramResult.OfAsync(
            new ProcessStartInfo(BuiltProgram.Path("SecurityTool"), ["secrets", "rotate", name])
            {
                Environment =
                {
                    ["Secrets__UserFile"] = UserFile, ["Secrets__Data"] = Data, ["Secrets__PassPhraseFile"] = Path.Combine(Data, "at-rest.key"),
                    ["Secrets__AuditKeys"] = Path.Combine(_directory.FullName, "audit-keys"), ["Secrets__MasterKeys"] = Path.Combine(Data, "encryption"),
                    ["Audit__Directory"] = Path.Combine(_directory.FullName, "audit"),
                    ["Audit__KeyDirectory"] = Path.Combine(_directory.FullName, "audit-keys"),
                    ["Secrets__StackFile"] = stack,
                },
            },
            Cancel);
    }
}
