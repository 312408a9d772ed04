using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MongoDB.Bson;
using Platform.AppHost.Mongo;
using Platform.AppHost.Settings;
using Platform.Hosting.Mongo;
using Platform.Hosting.Servers;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>What the dashboard shows of the replica set.</summary>
public sealed class ReplicaSetWatchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("Running", false)]
    [InlineData("Running", false, "Running")]
    [InlineData("Running", true, "Running", "Exited", "Running")]
    [InlineData("Running", false, "Running", "Starting", "Running")]
    [InlineData("Starting", false, null, null, null)]
    [InlineData("Starting", false, "Running", "Starting", "NotStarted")]
    [InlineData("Starting", true, "Running", "Exited", "Starting")]
    [InlineData("FailedToStart", false, "FailedToStart")]
    [InlineData("FailedToStart", false, "Finished")]
    [InlineData("FailedToStart", false, "Running", "Exited", "FailedToStart")]
    [InlineData("Exited", true, "Running", "Exited", "Finished")]
    [InlineData("Exited", true, "Exited")]
    public void A_set_is_as_most_of_its_servers_are(string expected, bool hasRun, params string?[] servers) =>
        Assert.Equal(expected, ServerStates.Judge(servers, hasRun));

    [Fact]
    public async Task The_state_of_a_set_and_of_its_databases_follows_the_servers_at_all_times()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true });
        var mongo = new MongoReplicaSetResource("set");
        var database = new MongoReplicaSetDatabaseResource("data", "data", mongo);
        var server = new ExecutableResource("server", "true", ".");
        mongo.AddServer(server);
        mongo.AddDatabase(database);
        foreach (var resource in (IResource[])[mongo, database, server])
        {
            builder.Resources.Add(resource);
        }

        var told = new List<string>();
        builder.Eventing.Subscribe<ConnectionStringAvailableEvent>((available, _) =>
        {
            told.Add(available.Resource.Name);
            return Task.CompletedTask;
        });
        await using var app = builder.Build();
        var notifications = app.Services.GetRequiredService<ResourceNotificationService>();
        using var stop = new CancellationTokenSource();
        var watching = ReplicaSetWatch.RunAsync(mongo, new InitializeResourceEvent(
            mongo, builder.Eventing, app.Services.GetRequiredService<ResourceLoggerService>(), notifications, app.Services), stop.Token);

        foreach (var state in (string[])["Starting", "Running", "Exited", "Starting", "Running"])
        {
            await notifications.PublishUpdateAsync(server, snapshot => snapshot with { State = state });
            await notifications.WaitForResourceAsync("set", state, stop.Token).WaitAsync(Patience, TestContext.Current.CancellationToken);
            await notifications.WaitForResourceAsync("data", state, stop.Token).WaitAsync(Patience, TestContext.Current.CancellationToken);
        }

        await stop.CancelAsync();
        await watching;
        Assert.Equal(["set", "data"], told);
    }

    [Fact]
    public void Members_have_roles_and_secondaries_have_a_lag()
    {
        var members = MemberStatus.Of(BsonDocument.Parse("""
            { set: "rs0", members: [
              { name: "127.0.0.1:1", stateStr: "SECONDARY", optimeDate: ISODate("2026-11-29T01:00:01.5Z") },
              { name: "127.0.0.1:2", stateStr: "PRIMARY", optimeDate: ISODate("2026-11-29T01:00:04Z") },
              { name: "127.0.0.1:3", stateStr: "(not reachable/healthy)", optimeDate: ISODate("1970-01-01T00:00:00Z") } ] }
            """));

        Assert.Equal(
            [("127.0.0.1:1", "secondary", "2.5 s"), ("127.0.0.1:2", "primary", ""), ("127.0.0.1:3", "none", "")],
            members.Select(member => (member.Host, member.Role, member.LagText)));
        Assert.Equal("127.0.0.1:2", Assert.Single(members, member => member.IsPrimary).Host);
    }

    [Fact]
    public void Without_a_primary_nobody_is_behind_and_who_is_ahead_of_it_is_not_either()
    {
        Assert.Null(Assert.Single(MemberStatus.Of(BsonDocument.Parse(
            """{ members: [ { name: "a:1", stateStr: "SECONDARY", optimeDate: ISODate("2026-11-29T01:00:01Z") } ] }"""))).Lag);
        Assert.Equal("0 s", MemberStatus.Of(BsonDocument.Parse("""
            { members: [ { name: "a:1", stateStr: "SECONDARY", optimeDate: ISODate("2026-11-29T01:00:05Z") },
                         { name: "a:2", stateStr: "PRIMARY", optimeDate: ISODate("2026-11-29T01:00:04Z") } ] }
            """))[0].LagText);
    }

    [Fact]
    public void A_property_takes_the_place_of_the_one_before()
    {
        var properties = ReplicaSetWatch.With([new("source", "here"), new("role", "primary")], [new("role", "secondary"), new("lag", "1 s")]);

        Assert.Equal(
            [("source", "here"), ("role", "secondary"), ("lag", "1 s")], properties.Select(property => (property.Name, (string)property.Value!)));
    }

    [Theory]
    [InlineData("Containers", true)]
    [InlineData("Mongod", true)]
    [InlineData("DocumentDb", true)]
    [InlineData("External", false)]
    public void Every_engine_can_let_the_primary_step_down_and_those_with_processes_of_ours_can_kill_it(string engine, bool canKill)
    {
        var commands = CommandsOf(Enum.Parse<Engine>(engine), Environments.Development);

        Assert.Equal(canKill ? ["step-down-primary", "kill-primary"] : ["step-down-primary"], commands.Select(command => command.Name));
        Assert.All(commands, command => Assert.False(string.IsNullOrEmpty(command.ConfirmationMessage)));
    }

    [Fact]
    public void Nobody_kills_the_primary_outside_of_development() => Assert.Equal(
        ["step-down-primary"], CommandsOf(Engine.Mongod, Environments.Production).Select(command => command.Name));

    [Fact]
    public async Task Only_a_process_that_can_be_a_member_is_killed()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => MemberProcess.KillAsync(Environment.ProcessId, "mongod", "/data", TestContext.Current.CancellationToken));

        Assert.EndsWith("and no member.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_of_the_primary_is_told_in_a_sentence()
    {
        Assert.Equal(
            "The primary was a:1 and is now a:2; 0.4 s passed without one.", new PrimaryChange("a:1", "a:2", TimeSpan.FromSeconds(0.42)).ToString());
        Assert.Equal(
            "The primary was a:1 and is the same again; 3.0 s passed without one.", new PrimaryChange("a:1", "a:1", TimeSpan.FromSeconds(3)).ToString());
    }

    private static List<ResourceCommandAnnotation> CommandsOf(Engine engine, string environment)
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = ["--environment", environment], DisableDashboard = true,
        });
        var options = new PlatformOptions { EngineChoice = new(engine, "asked for by the test"), DataDirectory = "/data", ServerImage = "/image" };
        var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, options).WithPrimaryCommands();
        return [.. mongo.Resource.Annotations.OfType<ResourceCommandAnnotation>()];
    }
}
