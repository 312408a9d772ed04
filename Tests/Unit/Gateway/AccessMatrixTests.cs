using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using Platform.Gateway;
using Platform.Gateway.Access;
using Platform.Gateway.Commands;
using Platform.Gateway.Requests;
using Platform.Tests.TestKit.Access;
using Platform.Wire.Messages;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>Role by command by namespace: whether the gateway lets it through is what MongoDB's manual says.</summary>
public sealed class AccessMatrixTests : IAsyncDisposable
{
    private static readonly (string Database, string Collection)[] s_namespaces =
    [
        ("shop", "orders"), ("shop", "system.profile"), ("shop", "system.js"), ("other", "orders"), ("elsewhere", "made"), ("admin", "things"),
        ("admin", "system.users"), ("config", "settings"), ("local", "things"), ("local", "system.replset"),
    ];

    private readonly Microsoft.AspNetCore.Builder.WebApplication _gateway = GatewayApplication.Build(
        ["--ConnectionStrings:postgres=Host=/nowhere", "--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Critical"]);

    private CommandTable Table => _gateway.Services.GetRequiredService<CommandTable>();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public void Every_command_of_the_table_is_in_the_matrix()
    {
        Assert.Equal(Table.All.Select(command => command.Name), AccessSample.All.Select(sample => sample.Name).Distinct().Order(StringComparer.Ordinal));
        Assert.All(Table.All, command => Assert.NotEmpty(command.Access.Needs));
    }

    [Fact]
    public void Every_role_may_send_what_the_manual_says_and_nothing_else()
    {
        var wrong = new List<string>();
        var (allowed, refused) = (0, 0);
        foreach (var role in AccessOracle.Roles)
        {
            foreach (var roleDatabase in AccessOracle.IsOfDatabases(role) ? (string[])["shop", "admin", "config"] : ["admin"])
            {
                var user = UserWith(RoleGraph.BuiltIn, new RoleName(role, roleDatabase));
                foreach (var sample in AccessSample.All)
                {
                    foreach (var (database, collection) in s_namespaces)
                    {
                        var expected = sample.IsAllowed(role, roleDatabase, database, collection);
                        var command = sample.For(database, collection);
                        if (Allows(user, command) != expected)
                        {
                            wrong.Add($"{role}@{roleDatabase} {(expected ? "may" : "may not")} {command.ToJson()}");
                        }

                        _ = expected ? allowed++ : refused++;
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {allowed + refused}:{Environment.NewLine}{string.Join(Environment.NewLine, wrong.Take(20))}");
        // Both ends are reached.
        Assert.InRange(allowed, (allowed + refused) / 5, (allowed + refused) * 4 / 5);
    }

    [Fact]
    public void A_role_of_ones_own_allows_its_actions_on_its_resource_and_on_no_other()
    {
        // Every action with every kind of resource, against the sentence of the manual on that kind.
        (Resource Resource, Func<string, string, bool> Covers)[] resources =
        [
            (Resource.Of("shop", "orders"), (db, c) => db == "shop" && c == "orders"),
            (Resource.Of("shop"), (db, c) => db == "shop" && !c.StartsWith("system.", StringComparison.Ordinal)),
            (Resource.Of("", "orders"), (_, c) => c == "orders"),
            (Resource.AllCollections, (db, c) => db is not ("local" or "config") && !c.StartsWith("system.", StringComparison.Ordinal)),
            (Resource.Of("shop", "system.profile"), (db, c) => db == "shop" && c == "system.profile"),
            (Resource.Any, (_, _) => true),
            (Resource.Cluster, (_, _) => false),
        ];
        foreach (var (resource, covers) in resources)
        {
            foreach (var action in Enum.GetValues<AccessAction>())
            {
                var rights = new Rights([new Privilege(resource, new ActionSet(action))]);
                foreach (var (database, collection) in s_namespaces)
                {
                    Assert.Equal(covers(database, collection), rights.OnCollection(database, collection, action));
                    Assert.False(rights.OnCollection(database, collection, (AccessAction)(((int)action + 1) % Enum.GetValues<AccessAction>().Length)));
                }

                Assert.Equal(resource.Kind is ResourceKind.Cluster or ResourceKind.Any, rights.OnCluster(action));
            }
        }
    }

    [Fact]
    public void Roles_inherit_along_every_path_and_one_that_is_gone_gives_nothing()
    {
        RoleName reader = new("reader", "shop"), writer = new("writer", "shop"), chief = new("chief", "admin");
        var graph = new RoleGraph(new[]
        {
            new RoleDefinition(reader, [new(Resource.Of("shop", "orders"), new ActionSet(AccessAction.Find))], []),
            new RoleDefinition(writer, [new(Resource.Of("shop", "orders"), new ActionSet(AccessAction.Insert))], [reader, new RoleName("gone", "shop")]),
            new RoleDefinition(chief, [], [writer, new RoleName("dbAdmin", "shop")]),
        }.ToDictionary(role => role.Name));
        Assert.Equal([chief, writer, new RoleName("dbAdmin", "shop"), reader], graph.Inherited([chief]).Select(role => role.Name));
        var user = UserWith(graph, chief);
        Assert.True(Allows(user, BsonDocument.Parse("{ insert: 'orders', documents: [], $db: 'shop' }")));
        Assert.True(Allows(user, BsonDocument.Parse("{ find: 'orders', $db: 'shop' }")));
        Assert.True(Allows(user, BsonDocument.Parse("{ collMod: 'orders', $db: 'shop' }")));
        Assert.False(Allows(user, BsonDocument.Parse("{ find: 'others', $db: 'shop' }")));
        Assert.False(Allows(user, BsonDocument.Parse("{ collMod: 'orders', $db: 'admin' }")));
        Assert.True(user.Rights.CanWrite);
        Assert.False(UserWith(graph, reader).Rights.CanWrite);
        Assert.False(user.IsAdministrator);
    }

    [Theory]
    [InlineData("read", "shop")]
    [InlineData("dbOwner", "shop")]
    [InlineData("root", "admin")]
    public void The_profile_is_not_read_by_the_name_that_the_backend_has_for_it(string role, string database)
    {
        var user = UserWith(RoleGraph.BuiltIn, new RoleName(role, database));
        var stored = Platform.Gateway.Backend.SystemProfile.Stored;
        Assert.False(Allows(user, new BsonDocument { { "find", stored }, { "$db", "shop" } }));
        var union = BsonDocument.Parse($"{{ aggregate: 'orders', pipeline: [{{ $unionWith: '{stored}' }}], cursor: {{}}, $db: 'shop' }}");
        Assert.False(Allows(user, union));
    }

    [Fact]
    public void A_stage_that_nobody_has_thought_of_is_for_those_who_may_read_everything()
    {
        var command = BsonDocument.Parse("{ aggregate: 'orders', pipeline: [{ $someday: { from: 'others' } }], cursor: {}, $db: 'shop' }");
        Assert.False(Allows(UserWith(RoleGraph.BuiltIn, new RoleName("dbOwner", "shop")), command));
        Assert.True(Allows(UserWith(RoleGraph.BuiltIn, new RoleName("readAnyDatabase", "admin")), command));
    }

    [Fact]
    public void A_decision_on_a_collection_allocates_nothing()
    {
        var user = new User("u", "admin", [], new Rights(
        [
            new(Resource.Of("shop", "orders"), new ActionSet(AccessAction.Find, AccessAction.Insert)),
            new(Resource.Of("other"), new ActionSet(AccessAction.Find)),
            new(Resource.Of("shop", "second"), new ActionSet(AccessAction.Find)),
        ]), Number: 1);
        Request[] requests =
        [
            Parse(BsonDocument.Parse("{ find: 'orders', $db: 'shop' }")), Parse(BsonDocument.Parse("{ insert: 'orders', documents: [{ a: 1 }], $db: 'shop' }")),
            Parse(BsonDocument.Parse(
                "{ aggregate: 'orders', pipeline: [{ $match: { a: 1 } }, { $lookup: { from: 'second', as: 'x', pipeline: [] } }], $db: 'shop' }")),
        ];
        var commands = requests.Select(request => Table.Find(request.Name)!).ToArray();
        for (var round = 0; round < 2; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 3_000; i++)
            {
                Assert.True(commands[i % 3].Access.Allows(requests[i % 3], user));
            }

            if (round == 1)
            {
                Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            }
        }
    }

    [Fact]
    public void A_refusal_quotes_the_command_without_its_secrets()
    {
        var refused = Platform.Gateway.Authorization.CommandText.Refusal(Parse(BsonDocument.Parse(
            "{ createUser: 'x', pwd: 'top secret', roles: [{ role: 'root', db: 'admin' }], customData: { card: 'secret too' }, $db: 'admin' }")));
        Assert.Equal(13, (int)refused.Code);
        Assert.Equal(
            "not authorized on admin to execute command { createUser: \"x\", pwd: \"xxx\", roles: [ { role: \"root\", db: \"admin\" } ], customData: \"xxx\", "
                + "$db: \"admin\" }",
            refused.Message);
    }

    private bool Allows(User user, BsonDocument command)
    {
        var request = Parse(command);
        return Table.Find(request.Name)!.Access.Allows(request, user);
    }

    private static User UserWith(RoleGraph graph, RoleName role) => new("u", "admin", [role], graph.RightsOf([role]), Number: 1);

    private static Request Parse(BsonDocument command)
    {
        byte[] message = [.. new byte[16], .. new byte[4], 0, .. command.ToBson()];
        return Request.Parse(new MessageHeader(message.Length, 1, 0, OpCode.Msg), message);
    }
}
