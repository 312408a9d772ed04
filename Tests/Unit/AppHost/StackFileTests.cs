using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Platform.AppHost.Redis;
using Platform.AppHost.Services;
using Platform.AppHost.Stack;
using Platform.Hosting.Mongo;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>What the stack file says of a stack, by the states of its resources.</summary>
public sealed class StackFileTests
{
    private static readonly ExecutableResource Api = new ExecutableResource("api", "api", ".");
    private static readonly ExecutableResource Migrator = Job("migrator");

    [Fact]
    public void A_stack_is_ready_when_its_services_are_healthy_and_its_jobs_are_done()
    {
        Assert.Equal(("starting", null), Judge("starting", (Api, Starting()), (Migrator, Ended(0))));
        Assert.Equal(("starting", null), Judge("starting", (Api, Running()), (Migrator, Running())));
        Assert.Equal(("starting", null), Judge("starting", (Api, null), (Migrator, null)));
        Assert.Equal(("ready", null), Judge("starting", (Api, Running()), (Migrator, Ended(0))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(137)]
    public void A_service_that_ends_by_itself_has_failed_whatever_its_exit_code(int code)
    {
        var expected = ("failed", $"api ended with exit code {code}.");
        Assert.Equal(expected, Judge("ready", (Api, Ended(code)), (Migrator, Ended(0))));
        Assert.Equal(expected, Judge("starting", (Api, Ended(code)), (Migrator, Running())));
    }

    [Fact]
    public void A_service_that_ends_without_an_exit_code_has_failed() =>
        Assert.Equal(("failed", "api ended."), Judge("ready", (Api, Ended(null)), (Migrator, Ended(0))));

    [Fact]
    public void A_replica_set_that_ended_is_told_by_the_server_that_did()
    {
        var mongo = new MongoReplicaSetResource("mongo");
        Assert.Equal(
            ("failed", "api ended with exit code 1."), Judge("ready", (mongo, Snapshot(KnownResourceStates.Exited)), (Api, Ended(1))));
        Assert.Equal(
            ("incomplete", "api was stopped."),
            StackState.Judge(
                [(mongo, Snapshot(KnownResourceStates.FailedToStart)), (Api, Ended(0))], new HashSet<string> { "api" }, "ready"));
    }

    [Fact]
    public void A_job_has_failed_when_its_exit_code_says_so() =>
        Assert.Equal(("failed", "migrator ended with exit code 1."), Judge("starting", (Api, Running()), (Migrator, Ended(1))));

    [Fact]
    public void Of_resources_that_failed_because_of_another_the_other_is_named()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true });
        // The victim comes first in the graph, so that its place does not decide.
        var api = builder.AddExecutable("api", "api", ".");
        var members = builder.AddExecutable("members", "mongod", ".");
        var mongo = builder.AddResource(new MongoReplicaSetResource("mongo"));
        members.WithParentRelationship(mongo);
        var migrator = builder.AddExecutable("migrator", "migrator", ".").WaitFor(mongo).WithAnnotation(new JobAnnotation());
        api.WaitForCompletion(migrator);
        var failed = Snapshot(KnownResourceStates.FailedToStart);

        Assert.Equal(
            ("failed", "migrator ended with exit code 1."),
            Judge("starting", (api.Resource, failed), (members.Resource, Running()), (mongo.Resource, Running()), (migrator.Resource, Ended(1))));
        Assert.Equal(
            ("failed", "members ended with exit code 78."),
            Judge("starting", (api.Resource, failed), (members.Resource, Ended(78)), (mongo.Resource, failed), (migrator.Resource, failed)));
        Assert.Equal(
            ("failed", "members failed to start."),
            Judge("starting", (api.Resource, failed), (members.Resource, failed), (mongo.Resource, failed), (migrator.Resource, failed)));
        // It was stopped, and what fails without it is told all the same.
        Assert.Equal(
            ("failed", "migrator ended with exit code 69."),
            StackState.Judge(
                [(api.Resource, failed), (members.Resource, Ended(0)), (mongo.Resource, failed), (migrator.Resource, Ended(69))],
                new HashSet<string> { "members" },
                "ready"));
    }

    [Theory]
    [InlineData(new string[0], "x ended.")]
    [InlineData(new[] { "", "  " }, "x ended.")]
    [InlineData(new[] { "one", "two", "" }, "x ended. It said: two")]
    [InlineData(new[] { "x: No space is left.", "fail: Job[0] failed" }, "x ended. It said: x: No space is left.")]
    [InlineData(new[] { "fail: Job[0]", "      No space is left.", "   at Program.Main()" }, "x ended. It said: No space is left.")]
    public void What_a_program_said_last_follows_how_it_ended(string[] lines, string expected) =>
        Assert.Equal(expected, ConsoleLine.WhatItSaid("x ended.", lines));

    [Fact]
    public void A_service_that_somebody_stopped_is_missing_and_has_not_failed() => Assert.Equal(
        ("incomplete", "api was stopped."),
        StackState.Judge([(Api, Ended(0)), (Migrator, Ended(0))], new HashSet<string> { "api" }, "ready"));

    [Fact]
    public void What_had_failed_and_was_started_again_makes_the_stack_ready_when_it_is_healthy()
    {
        Assert.Equal(("starting", null), Judge("failed", (Api, Starting()), (Migrator, Ended(0))));
        Assert.Equal(("ready", null), Judge("failed", (Api, Running()), (Migrator, Ended(0))));
    }

    [Fact]
    public void A_ready_stack_stays_so_while_a_service_is_not_healthy_or_a_job_runs_again() =>
        Assert.Equal(("ready", null), Judge("ready", (Api, Starting()), (Migrator, Running())));

    [Theory]
    [InlineData("ready", "state=ready")]
    [InlineData(null, "state=")]
    [InlineData("mongodb://a:b@c/?d=e&f=", "state=mongodb://a:b@c/?d=e&f=")]
    [InlineData("one\ntwo\r\n\0three", "state=one two   three")]
    public void A_value_stays_on_its_line(string? value, string line) => Assert.Equal(line, OwnerFile.Line("state", value));

    [Fact]
    public async Task An_entry_is_the_address_of_its_resource_in_the_form_that_it_is_asked_for()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = ["--ConnectionStrings:redis=127.0.0.1:6379,password=p+w,ssl=true"], DisableDashboard = true,
        });
        var redis = builder.AddConnectionString("redis").WithStackEntry("as-it-is").WithStackEntry("redis", RedisUri.Of);

        var entries = redis.Resource.Annotations.OfType<StackEntry>().ToList();
        await using var app = builder.Build();

        Assert.Equal(["as-it-is", "redis"], entries.Select(entry => entry.Name));
        Assert.Equal("127.0.0.1:6379,password=p+w,ssl=true", await entries[0].ResolveAsync(TestContext.Current.CancellationToken));
        Assert.Equal("rediss://default:p%2Bw@127.0.0.1:6379", await entries[1].ResolveAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("db.example", "redis://db.example")]
    [InlineData("db.example:6380,user=app,password=a b", "redis://app:a%20b@db.example:6380")]
    [InlineData("ssl=true", null)]
    public void A_connection_string_of_Redis_has_a_URI(string connectionString, string? uri) => Assert.Equal(uri, RedisUri.Of(connectionString));

    private static (string State, string? Message) Judge(string before, params (IResource, CustomResourceSnapshot?)[] resources) =>
        StackState.Judge(resources, new HashSet<string>(), before);

    private static ExecutableResource Job(string name)
    {
        var job = new ExecutableResource(name, name, ".");
        job.Annotations.Add(new JobAnnotation());
        return job;
    }

    private static CustomResourceSnapshot Ended(int? code) => Snapshot(KnownResourceStates.Finished) with { ExitCode = code };

    // Without health checks, which these have none of, what runs is healthy.
    private static CustomResourceSnapshot Running() => Snapshot(KnownResourceStates.Running);

    private static CustomResourceSnapshot Starting() => Snapshot(KnownResourceStates.Starting);

    private static CustomResourceSnapshot Snapshot(string state) => new() { ResourceType = "Executable", Properties = [], State = state };
}
