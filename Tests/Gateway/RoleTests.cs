using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Tests.TestKit.Access;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Roles, held to by the running gateway.</summary>
[Collection(GatewayCollection.Name)]
public sealed class RoleTests(GatewayFixture gateway)
{
    private const int Seed = 20_261_130;
    private const int Unauthorized = 13;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IMongoDatabase Admin => gateway.Client.GetDatabase("admin");

    [Fact]
    public async Task Every_role_is_refused_what_the_manual_does_not_give_it_and_nothing_else()
    {
        var database = gateway.NewDatabase().DatabaseNamespace.DatabaseName;
        var wrong = new List<string>();
        var (allowed, refused) = (0, 0);
        foreach (var role in AccessOracle.Roles)
        {
            var roleDatabase = AccessOracle.IsOfDatabases(role) ? database : "admin";
            await using var client = await LoginAsync(new BsonDocument { { "role", role }, { "db", roleDatabase } });
            foreach (var sample in AccessSample.All.Where(sample => sample.IsHarmless))
            {
                foreach (var (db, collection) in ((string, string)[])[(database, "orders"), (database + "x", "orders")])
                {
                    var expected = sample.IsAllowed(role, roleDatabase, db, collection);
                    var reply = await client.CommandAsync(sample.For(db, collection), Cancel);
                    if (reply.GetValue("code", 0) == Unauthorized == expected)
                    {
                        wrong.Add($"{role}@{roleDatabase} {(expected ? "may" : "may not")} {sample.For(db, collection).ToJson()}: {reply.ToJson()}");
                    }

                    _ = expected ? allowed++ : refused++;
                }
            }
        }

        await gateway.Client.DropDatabaseAsync(database, Cancel);
        await gateway.Client.DropDatabaseAsync(database + "x", Cancel);
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {allowed + refused}:{Environment.NewLine}{string.Join(Environment.NewLine, wrong.Take(20))}");
        Assert.True(allowed > 500 && refused > 500, $"{allowed} allowed, {refused} refused");
    }

    [Fact]
    public async Task Generated_commands_of_users_of_every_role_are_refused_exactly_where_their_rights_end()
    {
        gateway.Require();
        var fuzz = new RightsFuzz(gateway.Port, GatewayFixture.User, GatewayFixture.Password, _ => { });

        await fuzz.RunAsync(Seed, 3_000, TimeSpan.FromMinutes(5), Cancel);

        Assert.True(fuzz.Findings.Count == 0, string.Join(Environment.NewLine, fuzz.Findings.Take(20)));
        Assert.InRange(fuzz.Allowed, fuzz.Sent / 10, fuzz.Sent * 9 / 10);
    }

    [Fact]
    public async Task A_role_of_ones_own_holds_and_changes_hold_at_once_for_who_is_logged_in()
    {
        var database = gateway.NewDatabase();
        var (db, role) = (database.DatabaseNamespace.DatabaseName, "r" + Guid.NewGuid().ToString("N"));
        await database.GetCollection<BsonDocument>("orders").InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        await database.GetCollection<BsonDocument>("secrets").InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        await RunAsync(new BsonDocument { { "createRole", role }, { "roles", new BsonArray() }, { "privileges", Privileges(db, "orders", "find") } });
        await using var client = await LoginAsync(role);
        await AllowsAsync($"{{ find: 'orders', $db: '{db}' }}", true);
        await AllowsAsync($"{{ find: 'secrets', $db: '{db}' }}", false);
        await AllowsAsync($"{{ aggregate: 'orders', pipeline: [{{ $unionWith: 'secrets' }}], cursor: {{}}, $db: '{db}' }}", false);
        await AllowsAsync($"{{ insert: 'orders', documents: [{{ _id: 2 }}], $db: '{db}' }}", false);

        await RunAsync(new BsonDocument { { "grantPrivilegesToRole", role }, { "privileges", Privileges(db, "orders", "insert") } });
        await AllowsAsync($"{{ insert: 'orders', documents: [{{ _id: 2 }}], $db: '{db}' }}", true);
        // By inheritance, and taken away again.
        await RunAsync(new BsonDocument { { "createRole", role + "x" }, { "roles", new BsonArray() }, { "privileges", Privileges(db, "secrets", "find") } });
        await RunAsync(new BsonDocument { { "grantRolesToRole", role }, { "roles", new BsonArray { role + "x" } } });
        await AllowsAsync($"{{ aggregate: 'orders', pipeline: [{{ $unionWith: 'secrets' }}], cursor: {{}}, $db: '{db}' }}", true);
        await RunAsync(new BsonDocument("dropRole", role + "x"));
        await AllowsAsync($"{{ find: 'secrets', $db: '{db}' }}", false);
        await RunAsync(new BsonDocument { { "revokePrivilegesFromRole", role }, { "privileges", Privileges(db, "orders", "insert") } });
        await AllowsAsync($"{{ insert: 'orders', documents: [{{ _id: 3 }}], $db: '{db}' }}", false);
        await AllowsAsync($"{{ find: 'orders', $db: '{db}' }}", true);
        await RunAsync(new BsonDocument("dropRole", role));
        await AllowsAsync($"{{ find: 'orders', $db: '{db}' }}", false);

        async Task AllowsAsync(string command, bool expected)
        {
            var reply = await client.CommandAsync(BsonDocument.Parse(command), Cancel);
            Assert.True(expected ? reply["ok"] == 1 : reply.GetValue("code", 0) == Unauthorized, $"{command}: {reply}");
        }
    }

    // Whoever reads the first of two fields of a name judges another command than whoever reads the last.
    [Fact]
    public async Task A_command_that_says_a_thing_twice_is_refused_wherever_rights_depend_on_it()
    {
        var database = gateway.NewDatabase();
        var (db, role) = (database.DatabaseNamespace.DatabaseName, "r" + Guid.NewGuid().ToString("N"));
        foreach (var name in (string[])["mine", "secrets"])
        {
            await database.GetCollection<BsonDocument>(name).InsertOneAsync(new BsonDocument("_id", name), null, Cancel);
        }

        var rights = Privileges(db, "mine", "find", "insert", "update", "remove");
        await RunAsync(new BsonDocument { { "createRole", role }, { "roles", new BsonArray() }, { "privileges", rights } });
        await using var client = await LoginAsync(role);
        var (nothing, other) = (Pipeline("{ $match: {} }"), Pipeline("{ $unionWith: 'secrets' }"));
        (BsonDocument Command, string Twin)[] commands =
        [
            (Twice(("find", "mine"), ("find", "secrets")), "find"),
            (Twice(("count", "mine"), ("count", "secrets")), "count"),
            (Twice(("aggregate", "mine"), ("pipeline", nothing), ("pipeline", other), ("cursor", new BsonDocument())), "pipeline"),
            (Twice(("delete", "mine"), ("delete", "secrets"), ("deletes", new BsonArray { BsonDocument.Parse("{ q: {}, limit: 0 }") })), "delete"),
            (Twice(("explain", Twice(("find", "mine"), ("find", "secrets")))), "find"),
            (Aggregate(new BsonDocument("$unionWith", Twice(("coll", "mine"), ("coll", "secrets")))), "coll"),
            (Aggregate(new BsonDocument("$lookup", Twice(
                ("from", "mine"), ("as", "x"), ("pipeline", nothing), ("pipeline", Pipeline("{ $unionWith: 'secrets' }"))))), "pipeline"),
            (Aggregate(new BsonDocument("$merge", Twice(("into", "mine"), ("into", "secrets")))), "into"),
            (Aggregate(new BsonDocument("$out", Twice(("db", db), ("coll", "mine"), ("coll", "secrets")))), "coll"),
            (Twice(
                ("bulkWrite", 1), ("ops", new BsonArray { BsonDocument.Parse("{ insert: 0, document: { _id: 'x' } }") }),
                ("nsInfo", new BsonArray { Twice(("ns", $"{db}.mine"), ("ns", $"{db}.secrets")) })), "ns"),
        ];
        foreach (var (command, twin) in commands)
        {
            command["$db"] = command.GetElement(0).Name == "bulkWrite" ? "admin" : db;
            var reply = await client.CommandAsync(command, Cancel);
            Assert.True(reply.GetValue("code", 0) == 40413, $"{command}: {reply}");
            Assert.Contains($".{twin}' is a duplicate field", reply["errmsg"].AsString, StringComparison.Ordinal);
        }

        Assert.Equal(
            [new BsonDocument("_id", "secrets")], await database.GetCollection<BsonDocument>("secrets").Find("{}").ToListAsync(Cancel));

        static BsonArray Pipeline(string stage) => [BsonDocument.Parse(stage)];

        static BsonDocument Aggregate(BsonDocument stage) =>
            new() { { "aggregate", "mine" }, { "pipeline", new BsonArray { stage } }, { "cursor", new BsonDocument() } };

        static BsonDocument Twice(params (string Name, BsonValue Value)[] fields)
        {
            var document = new BsonDocument { AllowDuplicateNames = true };
            foreach (var (name, value) in fields)
            {
                document.Add(name, value);
            }

            return document;
        }
    }

    [Fact]
    public async Task A_cursor_that_is_open_shows_nothing_more_when_the_right_to_read_is_gone()
    {
        var database = gateway.NewDatabase();
        var (db, role) = (database.DatabaseNamespace.DatabaseName, "r" + Guid.NewGuid().ToString("N"));
        await database.GetCollection<BsonDocument>("c").InsertManyAsync(Enumerable.Range(0, 10).Select(i => new BsonDocument("_id", i)), null, Cancel);
        await RunAsync(new BsonDocument { { "createRole", role }, { "roles", new BsonArray() }, { "privileges", Privileges(db, "c", "find") } });
        await using var client = await LoginAsync(role);
        var first = await client.CommandAsync(BsonDocument.Parse($"{{ find: 'c', batchSize: 2, $db: '{db}' }}"), Cancel);
        var more = new BsonDocument { { "getMore", first["cursor"]["id"] }, { "collection", "c" }, { "batchSize", 2 }, { "$db", db } };
        Assert.Equal(1.0, (await client.CommandAsync(more, Cancel))["ok"]);
        await RunAsync(new BsonDocument { { "revokePrivilegesFromRole", role }, { "privileges", Privileges(db, "c", "find") } });
        Assert.Equal(Unauthorized, (await client.CommandAsync(more, Cancel))["code"]);
    }

    [Fact]
    public async Task A_view_shows_what_it_is_made_of_to_who_may_read_the_view_alone()
    {
        var database = gateway.NewDatabase();
        var (db, role) = (database.DatabaseNamespace.DatabaseName, "r" + Guid.NewGuid().ToString("N"));
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(BsonDocument.Parse("{ _id: 1, open: 1, secret: 2 }"), null, Cancel);
        await database.RunCommandAsync<BsonDocument>("{ create: 'v', viewOn: 'c', pipeline: [{ $project: { open: 1 } }] }", null, Cancel);
        await RunAsync(new BsonDocument { { "createRole", role }, { "roles", new BsonArray() }, { "privileges", Privileges(db, "v", "find", "collMod") } });
        await using var client = await LoginAsync(role);
        var shown = await client.CommandAsync(BsonDocument.Parse($"{{ find: 'v', $db: '{db}' }}"), Cancel);
        Assert.Equal(BsonDocument.Parse("{ _id: 1, open: 1 }"), shown["cursor"]["firstBatch"][0]);
        Assert.Equal(Unauthorized, (await client.CommandAsync(BsonDocument.Parse($"{{ find: 'c', $db: '{db}' }}"), Cancel))["code"]);
        // It cannot be made to show more.
        var change = BsonDocument.Parse($"{{ collMod: 'v', viewOn: 'c', pipeline: [], $db: '{db}' }}");
        Assert.Equal(Unauthorized, (await client.CommandAsync(change, Cancel))["code"]);
    }

    [Fact]
    public async Task Who_administers_the_users_of_a_database_gets_nowhere_beyond_it()
    {
        var db = gateway.NewDatabase().DatabaseNamespace.DatabaseName;
        await using var client = await LoginAsync(new BsonDocument { { "role", "userAdmin" }, { "db", db } });
        foreach (var command in (string[])
        [
            "{ createUser: 'x', pwd: 'x', roles: ['root'], $db: 'admin' }",
            $"{{ createUser: 'x', pwd: 'x', roles: [{{ role: 'root', db: 'admin' }}], $db: '{db}' }}",
            $"{{ grantRolesToUser: '{GatewayFixture.User}', roles: [{{ role: 'root', db: 'admin' }}], $db: '{db}' }}",
            $"{{ createRole: 'x', roles: [], privileges: [{{ resource: {{ anyResource: true }}, actions: ['anyAction'] }}], $db: '{db}' }}",
            $"{{ createRole: 'x', roles: ['root'], privileges: [], $db: 'admin' }}", "{ usersInfo: { forAllDBs: true }, $db: 'admin' }",
        ])
        {
            Assert.Equal(Unauthorized, (await client.CommandAsync(BsonDocument.Parse(command), Cancel))["code"]);
        }

        // The administrator is a user of admin: here there is none of that name.
        foreach (var command in (string[])
        [
            $"{{ updateUser: '{GatewayFixture.User}', pwd: 'mine now', $db: '{db}' }}", $"{{ dropUser: '{GatewayFixture.User}', $db: '{db}' }}",
            $"{{ grantRolesToUser: '{GatewayFixture.User}', roles: ['read'], $db: '{db}' }}",
        ])
        {
            Assert.Equal(11, (await client.CommandAsync(BsonDocument.Parse(command), Cancel))["code"]);
        }

        // What is its own it may do.
        var user = "u" + Guid.NewGuid().ToString("N");
        var create = BsonDocument.Parse($"{{ createUser: '{user}', pwd: 'x', roles: ['read'], $db: '{db}' }}");
        Assert.Equal(1.0, (await client.CommandAsync(create, Cancel))["ok"]);
        var info = await client.CommandAsync(new BsonDocument { { "usersInfo", user }, { "showPrivileges", true }, { "$db", db } }, Cancel);
        Assert.Equal((db, "read"), (info["users"][0]["db"].AsString, info["users"][0]["inheritedRoles"][0]["role"].AsString));
        Assert.Equal(1.0, (await client.CommandAsync(new BsonDocument { { "dropUser", user }, { "$db", db } }, Cancel))["ok"]);
    }

    [Fact]
    public async Task PostgreSQL_lets_write_who_has_a_right_to_and_nobody_else()
    {
        var database = gateway.NewDatabase();
        var (db, role) = (database.DatabaseNamespace.DatabaseName, "r" + Guid.NewGuid().ToString("N"));
        await RunAsync(new BsonDocument { { "createRole", role }, { "roles", new BsonArray() }, { "privileges", Privileges(db, "c", "find") } });
        var user = await CreateUserAsync(role);
        Assert.False(await MayWriteAsync());
        await RunAsync(new BsonDocument { { "grantPrivilegesToRole", role }, { "privileges", Privileges(db, "c", "insert") } });
        Assert.True(await MayWriteAsync());
        await RunAsync(new BsonDocument { { "revokePrivilegesFromRole", role }, { "privileges", Privileges(db, "c", "insert") } });
        Assert.False(await MayWriteAsync());

        async Task<bool> MayWriteAsync()
        {
            await using var lease = await ((Platform.Gateway.Backend.BackendPool)gateway.Services.GetService(typeof(Platform.Gateway.Backend.BackendPool))!)
                .RentAsync(Cancel);
            return (await Platform.Gateway.Backend.StoredUser.FindAsync(lease.Connection, user, Cancel))!.MayWrite;
        }
    }

    [Fact]
    public async Task Who_may_not_list_sees_what_there_are_rights_on()
    {
        var database = gateway.NewDatabase();
        var (db, role) = (database.DatabaseNamespace.DatabaseName, "r" + Guid.NewGuid().ToString("N"));
        await database.CreateCollectionAsync("c", null, Cancel);
        await database.CreateCollectionAsync("hidden", null, Cancel);
        await RunAsync(new BsonDocument { { "createRole", role }, { "roles", new BsonArray() }, { "privileges", Privileges(db, "c", "find") } });
        await using var client = await LoginAsync(role);
        Assert.Equal(Unauthorized, (await client.CommandAsync(BsonDocument.Parse($"{{ listCollections: 1, $db: '{db}' }}"), Cancel))["code"]);
        var own = await client.CommandAsync(BsonDocument.Parse($"{{ listCollections: 1, nameOnly: true, authorizedCollections: true, $db: '{db}' }}"), Cancel);
        Assert.Equal(["c"], own["cursor"]["firstBatch"].AsBsonArray.Select(collection => collection["name"].AsString));
        foreach (var nameOnly in (bool[])[true, false])
        {
            var databases = await client.CommandAsync(new BsonDocument { { "listDatabases", 1 }, { "nameOnly", nameOnly }, { "$db", "admin" } }, Cancel);
            Assert.Equal([db], databases["databases"].AsBsonArray.Select(one => one["name"].AsString));
        }
    }

    private static BsonArray Privileges(string db, string collection, params string[] actions) =>
    [
        new BsonDocument
        {
            { "resource", new BsonDocument { { "db", db }, { "collection", collection } } }, { "actions", new BsonArray(actions) },
        },
    ];

    private Task<BsonDocument> RunAsync(BsonDocument command) => Admin.RunCommandAsync<BsonDocument>(command, null, Cancel);

    private async Task<string> CreateUserAsync(BsonValue role)
    {
        var user = "u" + Guid.NewGuid().ToString("N");
        await RunAsync(new BsonDocument { { "createUser", user }, { "pwd", "secret" }, { "roles", new BsonArray { role } } });
        return user;
    }

    private async Task<WireClient> LoginAsync(BsonValue role)
    {
        var user = await CreateUserAsync(role);
        var client = await WireClient.ConnectAsync(gateway, Cancel);
        await client.LoginAsync(user, "secret", Cancel);
        return client;
    }
}
