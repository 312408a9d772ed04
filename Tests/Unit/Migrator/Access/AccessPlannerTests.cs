using MongoDB.Bson;
using Platform.Data.Access;
using Platform.Migrator.Access;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Access;

/// <summary>What differs from the access catalogue is found, and what is as it says is not.</summary>
public sealed class AccessPlannerTests
{
    private const string Database = "shop";

    private static readonly AccessPlanner s_planner = new(AccessCatalogue.All, Database);

    [Fact]
    public void An_empty_server_lacks_all_of_it_and_one_that_did_what_was_said_nothing()
    {
        var steps = s_planner.Compare([], [], []);
        Assert.Equal(AccessCatalogue.All.Count * 2 + AccessCatalogue.Views.Count, steps.Count);
        Assert.All(steps, step => Assert.NotNull(step.Command));
        var server = new ModelServer();
        server.Do(steps);
        Assert.Empty(server.Compare());
    }

    [Fact]
    public void Every_action_that_is_missing_or_too_many_is_found_and_mended()
    {
        foreach (var (principal, privilege, action) in
            from principal in AccessCatalogue.All
            from privilege in s_planner.Privileges(principal).Select((p, i) => (Index: i, Actions: p["actions"].AsBsonArray))
            from action in privilege.Actions.Select(a => a.AsString)
            select (principal, privilege.Index, action))
        {
            foreach (var isMore in (bool[])[false, true])
            {
                var server = ModelServer.InLine();
                var actions = server.Roles[principal.UserOf(Database)]["privileges"][privilege]["actions"].AsBsonArray;
                _ = isMore ? actions.Add("shutdown") : null;
                if (!isMore)
                {
                    actions.Remove(action);
                }

                var step = Assert.Single(server.Compare());
                Assert.Equal((AccessStepKind.RoleDiffers, principal.UserOf(Database)), (step.Kind, step.Name));
                Assert.Contains(isMore ? "has shutdown on" : $"lacks {action} on", step.Text, StringComparison.Ordinal);
                server.Do([step]);
                Assert.Empty(server.Compare());
            }
        }
    }

    [Fact]
    public void Users_with_other_roles_roles_that_inherit_and_views_that_show_more_are_found_and_mended()
    {
        foreach (var principal in AccessCatalogue.All)
        {
            var server = ModelServer.InLine();
            var name = principal.UserOf(Database);
            server.Users[name]["roles"].AsBsonArray.Add(new BsonDocument { { "role", "root" }, { "db", "admin" } });
            server.Roles[name]["roles"].AsBsonArray.Add(new BsonDocument { { "role", "readWriteAnyDatabase" }, { "db", "admin" } });
            server.Views.Values.First()["options"]["pipeline"] = new BsonArray();
            var steps = server.Compare();
            Assert.Equal([AccessStepKind.View, AccessStepKind.RoleDiffers, AccessStepKind.UserDiffers], steps.Select(step => step.Kind));
            Assert.Contains("inherits readWriteAnyDatabase@admin", steps[1].Text, StringComparison.Ordinal);
            Assert.Contains("has root@admin", steps[2].Text, StringComparison.Ordinal);
            server.Do(steps);
            Assert.Empty(server.Compare());
        }
    }

    [Fact]
    public void Who_has_a_name_of_the_platforms_and_is_not_known_is_told_and_left()
    {
        var server = ModelServer.InLine();
        server.Users["shop-stranger"] = new BsonDocument { { "user", "shop-stranger" }, { "roles", new BsonArray() } };
        server.Users["somebody"] = new BsonDocument { { "user", "somebody" }, { "roles", new BsonArray() } };
        var step = Assert.Single(server.Compare());
        Assert.Equal((AccessStepKind.Unknown, "shop-stranger", null), (step.Kind, step.Name, step.Command));
    }

    [Fact]
    public void From_where_users_may_log_in_is_as_it_is_set_and_left_alone_where_it_is_not()
    {
        string[][] wanted = [["10.0.0.7"], ["10.0.0.7", "10.1.0.0/16"], ["::1"]];
        BsonArray[] there =
        [
            [], [Allowed("10.0.0.7")], [Allowed("10.1.0.0/16", "10.0.0.7")], [Allowed("10.0.0.7"), Allowed("10.1.0.0/16")],
            [new BsonDocument("clientSource", "10.0.0.7")],
            [new BsonDocument { { "clientSource", "10.0.0.7" }, { "serverAddress", "10.0.0.1" } }], [Allowed("10.0.0.0/8")],
        ];
        foreach (var (addresses, restrictions) in wanted.SelectMany(addresses => there.Select(restrictions => (addresses, restrictions))))
        {
            var server = ModelServer.InLine(addresses);
            Assert.Equal(new BsonArray { Allowed(addresses) }, server.Users[$"{Database}-api"]["authenticationRestrictions"]);
            server.Users[$"{Database}-api"]["authenticationRestrictions"] = restrictions;
            var sources = restrictions.SelectMany(one => one.AsBsonDocument).SelectMany(field => field.Value is BsonArray several ? several : [field.Value]);
            var isSame = sources.Select(source => source.AsString).ToHashSet().SetEquals(addresses)
                && restrictions.All(one => one.AsBsonDocument.All(field => field.Name == "clientSource"));
            var steps = server.Compare();
            Assert.Equal(isSame ? 0 : 1, steps.Count);
            server.Do(steps);
            Assert.Empty(server.Compare());
        }

        var free = ModelServer.InLine();
        Assert.DoesNotContain("authenticationRestrictions", free.Users[$"{Database}-api"].Names);
        free.Users[$"{Database}-api"]["authenticationRestrictions"] = new BsonArray { Allowed("10.0.0.7") };
        Assert.Empty(free.Compare());

        static BsonDocument Allowed(params string[] sources) => new("clientSource", new BsonArray(sources));
    }

    [Fact]
    public void Nobody_has_what_the_catalogue_promises_that_nobody_has()
    {
        foreach (var collection in (string[])[CollectionNames.Migrations, CollectionNames.Users])
        {
            Assert.DoesNotContain(AccessCatalogue.Api.Grants, grant => grant.Collections.Contains(collection));
        }

        Assert.Empty(AccessCatalogue.Api.DatabaseRoles);
        Assert.DoesNotContain(
            AccessCatalogue.Api.Grants.SelectMany(grant => grant.Actions), action => action is "dropCollection" or "collMod" or "createIndex" or "dropIndex");
        // A right on the whole database or on the cluster shows and changes no document.
        Assert.DoesNotContain(
            AccessCatalogue.All.SelectMany(principal => principal.Grants).Where(grant => grant.On != GrantTarget.Collections)
                .SelectMany(grant => grant.Actions),
            action => action is "find" or "insert" or "update" or "remove" or "anyAction" or "changeStream");
        Assert.DoesNotContain(AccessCatalogue.All.SelectMany(principal => principal.ClusterRoles), role => role is not "clusterMonitor");
    }

    /// <summary>A server as far as the planner's commands reach.</summary>
    private sealed class ModelServer(params string[] addresses)
    {
        private readonly AccessPlanner _planner = new(AccessCatalogue.All, Database, addresses);

        public Dictionary<string, BsonDocument> Roles { get; } = [];

        public Dictionary<string, BsonDocument> Users { get; } = [];

        public Dictionary<string, BsonDocument> Views { get; } = [];

        public static ModelServer InLine(params string[] addresses)
        {
            var server = new ModelServer(addresses);
            server.Do(server.Compare());
            return server;
        }

        public IReadOnlyList<AccessStep> Compare() => _planner.Compare(Roles.Values, Users.Values, Views.Values);

        public void Do(IEnumerable<AccessStep> steps)
        {
            foreach (var command in steps.Select(step => (BsonDocument)step.Command!.DeepClone()))
            {
                var (name, rest) = (command[0].AsString, new BsonDocument(command.Skip(1)));
                switch (command.GetElement(0).Name)
                {
                    case "createRole" or "updateRole":
                        Roles[name] = rest.Add("role", name);
                        break;
                    case "createUser" or "updateUser":
                        Users[name] = rest.Add("user", name);
                        break;
                    default:
                        Views[name] = new BsonDocument { { "name", name }, { "options", rest } };
                        break;
                }
            }
        }
    }
}
