using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Gateway;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Who may log in, from where, and over what.</summary>
[Collection(GatewayCollection.Name)]
public sealed class AccessTests(GatewayFixture gateway)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_user_logs_in_only_from_the_addresses_of_the_restrictions()
    {
        gateway.Require();
        var user = await CreateUserAsync("10.0.0.0/8");
        await Assert.ThrowsAsync<MongoAuthenticationException>(() => PingAsync(gateway.ConnectionStringOf(user, "secret")));
        await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument
            {
                { "updateUser", user },
                { "authenticationRestrictions", new BsonArray { new BsonDocument("clientSource", new BsonArray { "10.0.0.0/8", "127.0.0.1" }) } },
            },
            cancellationToken: Cancel);
        await PingAsync(gateway.ConnectionStringOf(user, "secret"));
    }

    [Fact]
    public async Task A_login_that_has_begun_outlives_the_start_of_another_gateway()
    {
        gateway.Require();
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        var begun = await client.StartLoginAsync(GatewayFixture.User, Cancel);
        await using var other = new OtherGateway(gateway);
        await other.InitializeAsync();
        var (proof, login) = WireClient.Prove(GatewayFixture.User, GatewayFixture.Password, begun);
        login.Verify(await client.CommandAsync(proof, Cancel));
    }

    [Fact]
    public async Task After_some_wrong_passwords_even_the_right_one_has_to_wait()
    {
        gateway.Require();
        var user = await CreateUserAsync(source: null);
        // This one began before all others, so the question is not only asked when a login begins.
        await using var held = await WireClient.ConnectAsync(gateway, Cancel);
        var begun = await held.StartLoginAsync(user, Cancel);
        for (var i = 0; i < Platform.Gateway.Authentication.LoginThrottle.FreeFailures; i++)
        {
            await using var guess = await WireClient.ConnectAsync(gateway, Cancel);
            await Assert.ThrowsAnyAsync<Exception>(() => guess.LoginAsync(user, "wrong", Cancel));
        }

        Assert.Equal(18, (await held.CommandAsync(WireClient.Prove(user, "secret", begun).Command, Cancel))["code"]);
        // Others are not held back, and the user is let in when the time is over.
        await PingAsync(gateway.ConnectionString);
        await Wait.UntilAsync(MayLogInAsync, "the user is let in again", Cancel);

        async Task<bool> MayLogInAsync()
        {
            await using var again = await WireClient.ConnectAsync(gateway, Cancel);
            try
            {
                await again.LoginAsync(user, "secret", Cancel);
                return true;
            }
            catch (KeyNotFoundException)
            {
                // The answer of a refusal has no payload.
                return false;
            }
        }
    }

    [Fact]
    public async Task A_changed_role_takes_and_gives_the_right_to_write()
    {
        gateway.Require();
        var user = await CreateUserAsync(source: null);
        var admin = gateway.Client.GetDatabase("admin");
        var database = gateway.NewDatabase();
        using var client = new MongoClient(gateway.ConnectionStringOf(user, "secret"));
        var collection = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c");
        await database.CreateCollectionAsync("c", null, Cancel);
        var refused = await Assert.ThrowsAsync<MongoCommandException>(() => collection.InsertOneAsync([], null, Cancel));
        Assert.Equal(13, refused.Code);
        Assert.StartsWith(
            $"not authorized on {database.DatabaseNamespace.DatabaseName} to execute command {{ insert: \"c\", ", refused.ErrorMessage,
            StringComparison.Ordinal);
        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "grantRolesToUser", user }, { "roles", new BsonArray { "root" } } }, cancellationToken: Cancel);
        await collection.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "updateUser", user }, { "roles", new BsonArray { "readAnyDatabase" } } }, cancellationToken: Cancel);
        Assert.Equal(13, (await Assert.ThrowsAsync<MongoCommandException>(() => collection.InsertOneAsync([], null, Cancel))).Code);
        Assert.Equal(1, await collection.CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task A_dropped_user_is_logged_out_and_another_of_that_name_has_rights_of_its_own()
    {
        gateway.Require();
        var user = await CreateUserAsync(source: null);
        var admin = gateway.Client.GetDatabase("admin");
        var database = gateway.NewDatabase();
        await database.CreateCollectionAsync("c", null, Cancel);
        var find = new BsonDocument { { "find", "c" }, { "$db", database.DatabaseNamespace.DatabaseName } };
        var insert = new BsonDocument { { "insert", "c" }, { "documents", new BsonArray { new BsonDocument() } }, { "$db", find["$db"] } };
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        await client.LoginAsync(user, "secret", Cancel);
        Assert.Equal(1.0, (await client.CommandAsync(find, Cancel))["ok"]);

        await admin.RunCommandAsync<BsonDocument>(new BsonDocument("dropUser", user), cancellationToken: Cancel);
        Assert.Equal(13, (await client.CommandAsync(find, Cancel))["code"]);

        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createUser", user }, { "pwd", "another" }, { "roles", new BsonArray { "root" } } }, cancellationToken: Cancel);
        Assert.Equal(13, (await client.CommandAsync(find, Cancel))["code"]);
        await client.LoginAsync(user, "another", Cancel);
        Assert.Equal(1.0, (await client.CommandAsync(insert, Cancel))["ok"]);
    }

    [Fact]
    public async Task Who_is_an_administrator_no_more_makes_no_users()
    {
        gateway.Require();
        var user = await CreateUserAsync(source: null);
        var admin = gateway.Client.GetDatabase("admin");
        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "grantRolesToUser", user }, { "roles", new BsonArray { "root" } } }, cancellationToken: Cancel);
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        await client.LoginAsync(user, "secret", Cancel);
        var users = new BsonDocument { { "usersInfo", 1 }, { "$db", "admin" } };
        Assert.Equal(1.0, (await client.CommandAsync(users, Cancel))["ok"]);

        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "updateUser", user }, { "roles", new BsonArray { "readAnyDatabase" } } }, cancellationToken: Cancel);

        Assert.Equal(13, (await client.CommandAsync(users, Cancel))["code"]);
    }

    [Fact]
    public async Task The_first_user_is_made_from_this_machine_over_TLS_with_a_client_certificate()
    {
        gateway.Require();
        var directory = Directory.CreateTempSubdirectory("gateway-first-");
        var postgres = await PostgresProcess.StartAsync(directory, Cancel);
        try
        {
            using var authority = new TestAuthority(directory);
            var port = FreePort.Find();
            await using var first = GatewayApplication.Build(
            [
                $"--Gateway:Port={port}", $"--ConnectionStrings:postgres={postgres.ConnectionString}", "--urls=http://127.0.0.1:0",
                "--Logging:LogLevel:Default=Critical", "--bind=127.0.0.1",
                $"--Gateway:TlsCertificateFile={authority.File("server.pem")}", $"--Gateway:TlsKeyFile={authority.File("server.key")}",
                $"--Gateway:TlsClientCaFile={authority.File("ca.pem")}",
            ]);
            await GatewayApplication.StartAsync(first, Cancel);

            using (var stranger = new MongoClient(Settings(port, authority, user: null, certificate: false)))
            {
                await Assert.ThrowsAnyAsync<Exception>(() => PingAsync(stranger));
            }

            using var anonymous = new MongoClient(Settings(port, authority, user: null, certificate: true));
            var admin = anonymous.GetDatabase("admin");
            await Assert.ThrowsAsync<MongoCommandException>(
                () => anonymous.GetDatabase("shop").GetCollection<BsonDocument>("c").InsertOneAsync([], null, Cancel));
            var create = new BsonDocument { { "createUser", "first" }, { "pwd", "secret" }, { "roles", new BsonArray { "readAnyDatabase" } } };
            Assert.Equal(2, (await Assert.ThrowsAsync<MongoCommandException>(() => admin.RunCommandAsync<BsonDocument>(create, null, Cancel))).Code);
            create["roles"] = new BsonArray { "root" };
            await admin.RunCommandAsync<BsonDocument>(create, null, Cancel);
            create["createUser"] = "second";
            Assert.Equal(13, (await Assert.ThrowsAsync<MongoCommandException>(() => admin.RunCommandAsync<BsonDocument>(create, null, Cancel))).Code);

            using var known = new MongoClient(Settings(port, authority, "first", certificate: true));
            await known.GetDatabase("shop").GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
            await first.StopAsync(Cancel);
        }
        finally
        {
            await postgres.DisposeAsync();
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("--Gateway:TlsCertificateFile=/nowhere/a.pem", "Gateway:TlsCertificateFile and Gateway:TlsKeyFile must be set together.")]
    [InlineData("--Gateway:TlsClientCaFile=/nowhere/ca.pem", "Gateway:TlsClientCaFile asks for client certificates, but there is no "
        + "Gateway:TlsCertificateFile.")]
    [InlineData("--Gateway:RootPassword=", "Gateway:RootPassword is missing.")]
    public void A_wrong_setting_is_said_in_a_sentence(string argument, string sentence)
    {
        var error = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => GatewayFixture.Build(27099, "Host=/nowhere", argument));
        Assert.Contains(sentence, error.Failures);
    }

    private static MongoClientSettings Settings(int port, TestAuthority authority, string? user, bool certificate) => new()
    {
        Server = new MongoServerAddress("127.0.0.1", port),
        ReplicaSetName = "rs0",
        ServerSelectionTimeout = TimeSpan.FromSeconds(certificate ? 30 : 2),
        Credential = user is null ? null : MongoCredential.CreateCredential("admin", user, "secret"),
        UseTls = true,
        SslSettings = new SslSettings
        {
            ClientCertificates = certificate ? [authority.Client] : [],
            CheckCertificateRevocation = false,
            ServerCertificateValidationCallback = (_, shown, _, _) => shown is not null && shown.Issuer == authority.Name,
        },
    };

    private async Task<string> CreateUserAsync(string? source)
    {
        var user = "u" + Guid.NewGuid().ToString("N");
        var command = new BsonDocument { { "createUser", user }, { "pwd", "secret" }, { "roles", new BsonArray { "readAnyDatabase" } } };
        if (source is not null)
        {
            command.Add("authenticationRestrictions", new BsonArray { new BsonDocument("clientSource", new BsonArray { source }) });
        }

        await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(command, cancellationToken: Cancel);
        return user;
    }

    private static async Task PingAsync(string connectionString)
    {
        using var client = new MongoClient(connectionString);
        await PingAsync(client);
    }

    private static Task<BsonDocument> PingAsync(MongoClient client) =>
        client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), cancellationToken: Cancel);
}
