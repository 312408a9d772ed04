using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Audit;
using Platform.Gateway.Commands;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>What is done to the gateway by clients that we did not write is in its audit log, and nothing in it that must not be.</summary>
[Collection(CommandsCollection.Name)]
public sealed class AuditTests(GatewayFixture gateway)
{
    private const string Secret = "a pass word 5f3759df";
    private const string Data = "data-that-belongs-to-nobody-else-5f3759df";
    private const int AuthenticationFailed = 18;
    private const int Unauthorized = 13;
    private const int OperationFailed = 96;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_command_of_the_table_leaves_its_record()
    {
        gateway.Require();
        using var audit = new AuditDirectories();
        var (id, name) = (Guid.NewGuid().ToString("N"), "");
        var (user, role, database) = ("u" + id, "r" + id, "t" + id);
        // What is sent to which database, and what the records have to say: kind, result, particulars.
        List<(string On, string Command, string Type, int Result, string Param)> commands =
        [
            ("admin", "{ createRole: 'ROLE', privileges: [{ resource: { db: 'DB', collection: 'c' }, actions: ['find'] }], roles: ['read'] }", "createRole", 0,
                "{ 'role': 'ROLE', 'db': 'admin', 'roles': [{ 'role': 'read', 'db': 'admin' }], "
                    + "'privileges': [{ 'resource': { 'db': 'DB', 'collection': 'c' }, 'actions': ['find'] }] }"),
            ("admin", "{ updateRole: 'ROLE', roles: [] }", "updateRole", 0, "{ 'role': 'ROLE', 'db': 'admin', 'roles': [] }"),
            ("admin", "{ grantPrivilegesToRole: 'ROLE', privileges: [{ resource: { db: 'DB', collection: 'd' }, actions: ['insert'] }] }",
                "grantPrivilegesToRole", 0,
                "{ 'role': 'ROLE', 'db': 'admin', 'privileges': [{ 'resource': { 'db': 'DB', 'collection': 'd' }, 'actions': ['insert'] }] }"),
            ("admin", "{ revokePrivilegesFromRole: 'ROLE', privileges: [{ resource: { db: 'DB', collection: 'd' }, actions: ['insert'] }] }",
                "revokePrivilegesFromRole", 0,
                "{ 'role': 'ROLE', 'db': 'admin', 'privileges': [{ 'resource': { 'db': 'DB', 'collection': 'd' }, 'actions': ['insert'] }] }"),
            ("admin", "{ grantRolesToRole: 'ROLE', roles: [{ role: 'read', db: 'DB' }] }", "grantRolesToRole", 0,
                "{ 'role': 'ROLE', 'db': 'admin', 'roles': [{ 'role': 'read', 'db': 'DB' }] }"),
            ("admin", "{ revokeRolesFromRole: 'ROLE', roles: [{ role: 'read', db: 'DB' }] }", "revokeRolesFromRole", 0,
                "{ 'role': 'ROLE', 'db': 'admin', 'roles': [{ 'role': 'read', 'db': 'DB' }] }"),
            ("admin", "{ createUser: 'USER', pwd: 'SECRET', customData: { note: 'DATA' }, roles: ['ROLE'] }", "createUser", 0,
                "{ 'user': 'USER', 'db': 'admin', 'roles': [{ 'role': 'ROLE', 'db': 'admin' }] }"),
            ("admin", "{ createUser: 'USER', pwd: 'SECRET', roles: [] }", "createUser", 51003, "{ 'user': 'USER', 'db': 'admin', 'roles': [] }"),
            ("admin", "{ updateUser: 'USER', pwd: 'SECRET' }", "updateUser", 0, "{ 'user': 'USER', 'db': 'admin', 'passwordChanged': true }"),
            ("admin", "{ updateUser: 'USER', customData: { note: 'DATA' } }", "updateUser", 0, "{ 'user': 'USER', 'db': 'admin', 'passwordChanged': false }"),
            ("admin", "{ grantRolesToUser: 'USER', roles: [{ role: 'readWrite', db: 'DB' }] }", "grantRolesToUser", 0,
                "{ 'user': 'USER', 'db': 'admin', 'roles': [{ 'role': 'readWrite', 'db': 'DB' }] }"),
            ("admin", "{ revokeRolesFromUser: 'USER', roles: [{ role: 'readWrite', db: 'DB' }] }", "revokeRolesFromUser", 0,
                "{ 'user': 'USER', 'db': 'admin', 'roles': [{ 'role': 'readWrite', 'db': 'DB' }] }"),
            ("admin", "{ dropUser: 'USER' }", "dropUser", 0, "{ 'user': 'USER', 'db': 'admin' }"),
            ("admin", "{ dropRole: 'ROLE' }", "dropRole", 0, "{ 'role': 'ROLE', 'db': 'admin' }"),
            ("DB", "{ create: 'c', validator: { $jsonSchema: { properties: { a: { enum: ['DATA'] } } } } }", "createCollection", 0, "{ 'ns': 'DB.c' }"),
            ("DB", "{ create: 'v', viewOn: 'c', pipeline: [{ $match: { a: 'DATA' } }] }", "createCollection", 0, "{ 'ns': 'DB.v', 'viewOn': 'DB.c' }"),
            ("DB", "{ collMod: 'c', validationLevel: 'off', validator: { a: 'DATA' } }", "collMod", 0,
                "{ 'ns': 'DB.c', 'options': ['validationLevel', 'validator'] }"),
            ("DB", "{ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a1', unique: true }, { key: { b: -1 }, name: 'b1', "
                + "partialFilterExpression: { a: 'DATA' } }] }", "createIndex", 0,
                "{ 'ns': 'DB.c', 'indexName': 'a1', 'indexSpec': { 'key': { 'a': 1 }, 'unique': true } }"),
            ("", "", "createIndex", 0, "{ 'ns': 'DB.c', 'indexName': 'b1', 'indexSpec': { 'key': { 'b': -1 } } }"),
            ("DB", "{ dropIndexes: 'c', index: ['a1', 'b1'] }", "dropIndex", 0, "{ 'ns': 'DB.c', 'indexName': 'a1' }"),
            ("", "", "dropIndex", 0, "{ 'ns': 'DB.c', 'indexName': 'b1' }"),
            ("DB", "{ dropIndexes: 'c', index: 'none' }", "dropIndex", 27, "{ 'ns': 'DB.c', 'indexName': 'none' }"),
            ("admin", "{ renameCollection: 'DB.c', to: 'DB.d' }", "renameCollection", 0, "{ 'old': 'DB.c', 'new': 'DB.d' }"),
            ("DB", "{ drop: 'd' }", "dropCollection", 0, "{ 'ns': 'DB.d' }"),
            ("DB", "{ dropDatabase: 1 }", "dropDatabase", 0, "{ 'ns': 'DB' }"),
            ("DB", "{ profile: 0 }", "profile", 0, "{ 'ns': 'DB', 'level': 0 }"),
            ("admin", "{ killAllSessions: [] }", "killAllSessions", 0, "{ }"),
            ("admin", "{ killOp: 1, op: 'shard:77' }", "killOp", -1, "{ 'op': 'shard:77' }"),
            ("admin", "{ replSetReconfig: { _id: 'rs0' } }", "replSetReconfig", 115, "{ }"),
            ("admin", "{ replSetInitiate: {} }", "replSetInitiate", 23, "{ }"),
            ("admin", "{ replSetFreeze: 5 }", "replSetFreeze", 95, "{ 'seconds': 5 }"),
            ("admin", "{ replSetStepDown: 5, secondaryCatchUpPeriodSecs: 1 }", "replSetStepDown", 262, "{ 'seconds': 5, 'force': false }"),
        ];
        await using (var own = await StartAsync(audit))
        {
            foreach (var (on, command, type, result, _) in commands.Where(command => command.On.Length > 0))
            {
                try
                {
                    await own.Client.GetDatabase(Text(on)).RunCommandAsync<BsonDocument>(BsonDocument.Parse(Text(command)), null, Cancel);
                    Assert.True(result is 0 or -1, $"{type} succeeded: {command}");
                }
                catch (MongoCommandException exception)
                {
                    Assert.True(result == -1 || result == exception.Code, $"{command}: {exception.Code} {exception.Message}");
                }
            }

            name = (await own.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("whatsmyuri", 1), null, Cancel))["you"].AsString;
        }

        var records = audit.Records();
        Assert.Equal((AuditTypes.Startup, AuditTypes.Shutdown), (records[0].Type, records[^1].Type));
        Assert.Null(records[0].Remote);
        var written = records.Where(record => record.Type is not (CommandAudit.Authenticate or AuditTypes.Startup or AuditTypes.Shutdown)).ToList();
        Assert.Equal(commands.Select(command => command.Type), written.Select(record => record.Type));
        foreach (var (record, (_, command, _, result, param)) in written.Zip(commands))
        {
            Assert.True(result == -1 || result == record.Result, $"{record.Json}: {result}");
            Assert.Equal(BsonDocument.Parse(Text(param)), BsonDocument.Parse(record.Param.GetRawText()));
            Assert.Equal((GatewayFixture.User, "admin"), Assert.Single(record.Users));
            Assert.Equal(IPEndPointOf(name).Address, record.Remote!.Address);
            Assert.Contains("\"roles\":[{\"role\":\"root\",\"db\":\"admin\"}]", record.Json, StringComparison.Ordinal);
            Assert.True(DateTimeOffset.UtcNow - record.At < TimeSpan.FromMinutes(5) && command is not null);
        }

        // Nothing of the table is left out, and logging in and out have tests of their own.
        Assert.Equal(
            AuditTable.All.Select(entry => entry.Value.Type).Except([CommandAudit.Authenticate, CommandAudit.Logout]).Order(StringComparer.Ordinal),
            commands.Select(command => command.Type).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        Assert.Empty(audit.Verify().Findings);
        Assert.DoesNotContain(Data, audit.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, audit.Text, StringComparison.Ordinal);

        string Text(string text) => text.Replace("USER", user, StringComparison.Ordinal).Replace("ROLE", role, StringComparison.Ordinal)
            .Replace("DB", database, StringComparison.Ordinal).Replace("SECRET", Secret, StringComparison.Ordinal)
            .Replace("DATA", Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logging_in_and_out_is_recorded_and_so_is_who_fails_without_being_told_why()
    {
        gateway.Require();
        using var audit = new AuditDirectories();
        await using var own = await StartAsync(audit);
        await using (var client = await WireClient.ConnectAsync(own.Port, Cancel))
        {
            await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
            await client.CommandAsync(new BsonDocument { { "logout", 1 }, { "$db", "admin" } }, Cancel);
        }

        var replies = new List<BsonDocument>();
        foreach (var user in (string[])["nobody " + Guid.NewGuid().ToString("N"), GatewayFixture.User])
        {
            await using var client = await WireClient.ConnectAsync(own.Port, Cancel);
            var (proof, _) = WireClient.Prove(user, Secret, await client.StartLoginAsync(user, Cancel));
            replies.Add(await client.CommandAsync(proof, Cancel));
        }

        Assert.Equal(Without(replies[0]), Without(replies[1]));
        Assert.Equal(AuthenticationFailed, replies[0]["code"]);
        await using (var client = await WireClient.ConnectAsync(own.Port, Cancel))
        {
            var plain = new BsonDocument { { "saslStart", 1 }, { "mechanism", "PLAIN" }, { "payload", "\0ann\0" + Secret }, { "$db", "admin" } };
            Assert.Equal(334, (await client.CommandAsync(plain, Cancel))["code"]);
            await client.StartLoginAsync("left", Cancel);
        }

        await Wait.UntilAsync(() => audit.Records().Any(record => record.Result == 337), "the abandoned login is recorded", Cancel);
        var records = audit.Records().Where(record => record.Type is CommandAudit.Authenticate or CommandAudit.Logout).ToList();
        Assert.Equal([0, 0, AuthenticationFailed, AuthenticationFailed, 334, 337], records.Select(record => record.Result));
        Assert.Equal([1, 1, 0, 0, 0, 0], records.Select(record => record.Users.Count));
        Assert.Equal(GatewayFixture.User, User(records[0]));
        Assert.Equal("SCRAM-SHA-256", records[0].Param.GetProperty("mechanism").GetString());
        Assert.Equal(CommandAudit.Logout, records[1].Type);
        Assert.StartsWith("nobody ", User(records[2]), StringComparison.Ordinal);
        Assert.Equal(GatewayFixture.User, User(records[3]));
        Assert.Equal(("", "PLAIN"), (User(records[4]), records[4].Param.GetProperty("mechanism").GetString()));
        Assert.Equal("left", User(records[5]));
        Assert.DoesNotContain(Secret, audit.Text, StringComparison.Ordinal);
        // What a client is told is the same, and so is what the log says of both, but for the name.
        Assert.Equal(
            records[2].Param.EnumerateObject().Select(field => field.Name), records[3].Param.EnumerateObject().Select(field => field.Name));

        static string? User(AuditRecord record) => record.Param.GetProperty("user").GetString();
        static BsonDocument Without(BsonDocument reply) => new(reply.Where(field => field.Name[0] != '$' && field.Name != "operationTime"));
    }

    [Fact]
    public async Task A_driver_that_logs_in_with_a_wrong_password_leaves_a_record()
    {
        gateway.Require();
        using var audit = new AuditDirectories();
        await using var own = await StartAsync(audit);
        using var client = new MongoClient(own.ConnectionStringOf(GatewayFixture.User, Secret) + "&serverSelectionTimeoutMS=2000");
        await Assert.ThrowsAnyAsync<Exception>(() => client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("usersInfo", 1), null, Cancel));
        var record = audit.Records().First(record => record.Type == CommandAudit.Authenticate && record.Result != 0);
        Assert.Equal(AuthenticationFailed, record.Result);
        Assert.Equal(GatewayFixture.User, record.Param.GetProperty("user").GetString());
        Assert.Equal("127.0.0.1", record.Remote!.Address.ToString());
    }

    [Fact]
    public async Task A_user_from_a_forbidden_address_is_recorded_with_the_reason()
    {
        gateway.Require();
        using var audit = new AuditDirectories();
        await using var own = await StartAsync(audit);
        var user = "u" + Guid.NewGuid().ToString("N");
        await own.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            BsonDocument.Parse($"{{ createUser: '{user}', pwd: '{Secret}', roles: [], authenticationRestrictions: [{{ clientSource: ['10.0.0.0/8'] }}] }}"),
            null, Cancel);
        await using var client = await WireClient.ConnectAsync(own.Port, Cancel);
        var (proof, _) = WireClient.Prove(user, Secret, await client.StartLoginAsync(user, Cancel));
        var reply = await client.CommandAsync(proof, Cancel);
        Assert.Equal((AuthenticationFailed, "Authentication failed."), (reply["code"].ToInt32(), reply["errmsg"].AsString));
        var record = audit.Records().Single(record => record.Result == AuthenticationFailed);
        Assert.Equal((user, "address"), (record.Param.GetProperty("user").GetString(), record.Param.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task What_is_refused_is_recorded_and_what_is_allowed_only_where_it_is_asked_for()
    {
        gateway.Require();
        using var audit = new AuditDirectories();
        var id = Guid.NewGuid().ToString("N");
        var (user, database) = ("u" + id, "t" + id);
        await using (var own = await StartAsync(audit, $"--Gateway:Audit:Namespaces={database}.watched, x{id}"))
        {
            await own.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                BsonDocument.Parse($"{{ createUser: '{user}', pwd: '{Secret}', roles: [{{ role: 'read', db: '{database}' }}] }}"), null, Cancel);
            using var reader = new MongoClient(own.ConnectionStringOf(user, Secret));
            var mine = reader.GetDatabase(database);
            await mine.GetCollection<BsonDocument>("watched").Find(new BsonDocument("a", Data)).ToListAsync(Cancel);
            await mine.GetCollection<BsonDocument>("other").Find(new BsonDocument("a", Data)).ToListAsync(Cancel);
            await Assert.ThrowsAsync<MongoCommandException>(
                () => mine.GetCollection<BsonDocument>("other").InsertOneAsync(new BsonDocument("a", Data), null, Cancel));
            await Assert.ThrowsAsync<MongoCommandException>(() => mine.CreateCollectionAsync("made", null, Cancel));
            await using var stranger = await WireClient.ConnectAsync(own.Port, Cancel);
            Assert.Equal(Unauthorized, (await stranger.CommandAsync(new BsonDocument { { "find", "c" }, { "$db", database } }, Cancel))["code"]);
        }

        var records = audit.Records()
            .Where(record => record.Type == CommandAudit.AuthorizationCheck || record.Type.StartsWith("createC", StringComparison.Ordinal))
            .Select(record => ($"{record.Param.GetProperty("command")} {record.Param.GetProperty("ns")}", record.Result, record.Users.Count));
        Assert.Equal(
        [
            ($"find {database}.watched", 0, 1), ($"insert {database}.other", Unauthorized, 1), ($"create {database}.made", Unauthorized, 1),
            ($"find {database}.c", Unauthorized, 0),
        ], records);
        Assert.DoesNotContain(Data, audit.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_name_of_a_client_forges_a_line()
    {
        gateway.Require();
        using var audit = new AuditDirectories();
        await using var own = await StartAsync(audit);
        string[] names = ["a\n{\"atype\":\"x\"}", "b\"},\"result\":0,\"seq\":1", "c\u2028\u202e", new string('d', 128), "e\u001b[2J"];
        foreach (var name in names)
        {
            await using var client = await WireClient.ConnectAsync(own.Port, Cancel);
            var (proof, _) = WireClient.Prove(name, Secret, await client.StartLoginAsync(name, Cancel));
            Assert.Equal(AuthenticationFailed, (await client.CommandAsync(proof, Cancel))["code"]);
            Assert.Equal(Unauthorized, (await client.CommandAsync(new BsonDocument { { "drop", name }, { "$db", "x" } }, Cancel))["code"]);
        }

        var records = audit.Records().Where(record => record.Result == AuthenticationFailed).ToList();
        Assert.Equal(names.Length, records.Count);
        Assert.All(records.Zip(names), pair => Assert.StartsWith(
            pair.Second[..Math.Min(100, pair.Second.Length)], pair.First.Param.GetProperty("user").GetString(), StringComparison.Ordinal));
        Assert.DoesNotContain(audit.Text, character => character is not ((>= ' ' and <= '~') or '\n'));
        Assert.Empty(audit.Verify().Findings);
    }

    [Fact]
    public async Task A_user_whose_creation_was_acknowledged_is_in_the_log_of_a_gateway_that_was_killed()
    {
        gateway.Require();
        using var audit = new AuditDirectories();
        var settings = new Dictionary<string, string?>
        {
            [$"{SettingNames.GatewayAudit}__Directory"] = audit.Settings.Directory,
            [$"{SettingNames.GatewayAudit}__KeyDirectory"] = audit.Settings.KeyDirectory,
        };
        var acknowledged = new List<string>();
        for (var life = 0; life < 3; life++)
        {
            await using var killed = GatewayProcess.Start(
                gateway.EngineConnectionString, FreePort.Find(), GatewayFixture.User, GatewayFixture.Password, settings);
            await killed.UntilReadyAsync(Cancel);
            using var client = new MongoClient(string.Create(
                CultureInfo.InvariantCulture,
                $"mongodb://{GatewayFixture.User}:{Uri.EscapeDataString(GatewayFixture.Password)}@127.0.0.1:{killed.Port}/"
                    + $"?directConnection=true&retryWrites=false"));
            var writers = Enumerable.Range(0, 4).Select(async writer =>
            {
                try
                {
                    for (var i = 0; ; i++)
                    {
                        var user = $"u{Guid.NewGuid():N}";
                        await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                            BsonDocument.Parse($"{{ createUser: '{user}', pwd: 'x', roles: [] }}"), null, Cancel);
                        lock (acknowledged)
                        {
                            acknowledged.Add(user);
                        }
                    }
                }
                catch (Exception exception) when (exception is MongoException or TimeoutException)
                {
                    // It was killed.
                }
            }).ToList();
            var before = Count();
            await Wait.UntilAsync(() => Count() > before + 10, "users are made", Cancel);
            await killed.Process.KillAsync();
            await Task.WhenAll(writers);
        }

        var recorded = audit.Records().Where(record => record is { Type: "createUser", Result: 0 })
            .Select(record => record.Param.GetProperty("user").GetString()!).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(acknowledged.Except(recorded));
        Assert.True(acknowledged.Count > 30);
        Assert.Empty(audit.Verify().Findings);
        foreach (var user in acknowledged)
        {
            await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("dropUser", user), null, Cancel);
        }

        int Count()
        {
            lock (acknowledged)
            {
                return acknowledged.Count;
            }
        }
    }

    [Fact]
    public async Task With_a_full_disk_logins_and_changes_are_refused_and_data_is_served_until_there_is_room()
    {
        gateway.Require();
        await using var disk = await SmallDisk.MountAsync(512, Cancel);
        using var audit = new AuditDirectories(Path.Combine(disk.Path, "log"));
        await using var own = await StartAsync(audit);
        var database = own.Client.GetDatabase("t" + Guid.NewGuid().ToString("N"));
        await database.GetCollection<BsonDocument>("c").InsertOneAsync([], null, Cancel);
        await using var client = await WireClient.ConnectAsync(own.Port, Cancel);
        await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        disk.Fill();

        // The last block has room for some records more; the first that does not fit was done, and says that it is not recorded.
        string user;
        BsonDocument reply;
        var made = new List<string>();
        do
        {
            user = "u" + Guid.NewGuid().ToString("N");
            reply = await client.CommandAsync(BsonDocument.Parse($"{{ createUser: '{user}', pwd: '{Secret}', roles: [], $db: 'admin' }}"), Cancel);
            made.Add(user);
        }
        while (reply["ok"].ToInt32() == 1);
        Assert.Equal(OperationFailed, reply["code"]);
        Assert.Contains("could not be written to the audit log", reply["errmsg"].AsString, StringComparison.Ordinal);
        Assert.DoesNotContain(disk.Path, reply["errmsg"].AsString, StringComparison.Ordinal);

        // From then on nothing that has to be recorded is done at all.
        var refused = await client.CommandAsync(BsonDocument.Parse($"{{ createUser: 'x{user}', pwd: 'x', roles: [], $db: 'admin' }}"), Cancel);
        Assert.Equal(OperationFailed, refused["code"]);
        await using (var other = await WireClient.ConnectAsync(own.Port, Cancel))
        {
            Assert.Equal(OperationFailed, (await other.StartLoginAsync(GatewayFixture.User, Cancel))["code"]);
        }

        // Data goes on, and the health tells.
        var found = await client.CommandAsync(BsonDocument.Parse($"{{ count: 'c', $db: '{database.DatabaseNamespace.DatabaseName}' }}"), Cancel);
        Assert.Equal(1, found["n"].ToInt32());

        disk.Free();
        Assert.Equal(1, (await client.CommandAsync(BsonDocument.Parse($"{{ dropUser: '{user}', $db: 'admin' }}"), Cancel))["ok"].ToInt32());
        var users = audit.Records().Where(record => record.Type is "createUser" or "dropUser" && record.Result == 0)
            .Select(record => $"{record.Type} {record.Param.GetProperty("user")}").ToList();
        Assert.Equal([.. made.Select(one => "createUser " + one), "dropUser " + user], users);
        Assert.Contains(audit.Records(), record => record.Type == AuditTypes.Recovered);
        Assert.Empty(audit.Verify().Findings);
    }

    [Fact]
    public async Task A_log_that_cannot_be_opened_ends_the_gateway_in_a_sentence()
    {
        using var audit = new AuditDirectories();
        Directory.CreateDirectory(Path.GetDirectoryName(audit.Settings.Directory)!);
        await File.WriteAllTextAsync(audit.Settings.Directory!, "in the way", Cancel);
        var start = new ProcessStartInfo(BuiltProgram.Path("Gateway"), audit.Arguments)
        {
            Environment =
            {
                ["ConnectionStrings__postgres"] = "Host=127.0.0.1;Port=1", ["Gateway__Port"] = FreePort.Find().ToString(CultureInfo.InvariantCulture),
                ["DOTNET_ENVIRONMENT"] = "Development", ["ASPNETCORE_ENVIRONMENT"] = null, ["OTEL_EXPORTER_OTLP_ENDPOINT"] = null,
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0", ["Logging__LogLevel__Default"] = "None",
            },
        };

        var result = (await ProgramResult.OfAsync(start, Cancel)).Expect(ExitCodes.CannotCreate);

        Assert.StartsWith("gateway: The audit log in", result.Errors, StringComparison.Ordinal);
        Assert.Contains("cannot be opened", result.Errors, StringComparison.Ordinal);
    }

    private static System.Net.IPEndPoint IPEndPointOf(string text) => System.Net.IPEndPoint.Parse(text);

    private async Task<Audited> StartAsync(AuditDirectories audit, params string[] settings)
    {
        var own = new OtherGateway(gateway) { Settings = [.. audit.Arguments, .. settings] };
        await own.InitializeAsync();
        return new Audited(own);
    }

    private sealed class Audited(OtherGateway own) : IAsyncDisposable
    {
        private MongoClient? _client;

        public int Port => own.Port;

        public MongoClient Client => _client ??= new MongoClient(ConnectionStringOf(GatewayFixture.User, GatewayFixture.Password));

        public string ConnectionStringOf(string user, string password) =>
            $"mongodb://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@127.0.0.1:{Port}/"
            + "?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true";

        public async ValueTask DisposeAsync()
        {
            _client?.Dispose();
            await own.DisposeAsync();
        }
    }
}
