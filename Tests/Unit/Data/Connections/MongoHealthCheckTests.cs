using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver.Core.Servers;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class MongoHealthCheckTests
{
    private readonly FakeMongoProbe _mongo = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Healthy_when_the_primary_answers_and_all_members_are_there()
    {
        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Healthy, result.Status);
        Assert.Equal(
            "ReplicaSet with primary db1:27017, 3 of 3 members there, replication lag unknown, 3 of 100 connections in use.", result.Description);
        Assert.Equal("db1:27017", result.Data["primary"]);
        Assert.Equal(12, result.Data["poolOpen"]);
        Assert.Equal(3, result.Data["poolInUse"]);
        Assert.Equal(100, result.Data["poolMax"]);
    }

    [Fact]
    public async Task Degraded_when_a_secondary_is_gone()
    {
        _mongo.Cluster = FakeMongoProbe.ReplicaSet(
            FakeMongoProbe.Member(1, ServerType.ReplicaSetPrimary),
            FakeMongoProbe.Member(2, ServerType.Unknown, failure: new IOException("Connection refused")),
            FakeMongoProbe.Member(3, ServerType.ReplicaSetSecondary));

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.StartsWith("db2:27017 gone: ", result.Description, StringComparison.Ordinal);
        Assert.Equal(["db2:27017"], Assert.IsType<string[]>(result.Data["gone"]));
    }

    [Fact]
    public async Task Degraded_when_the_primary_does_not_hear_a_member_that_this_service_reaches()
    {
        _mongo.Status = Status(("db1", "PRIMARY", 0, 1), ("db2", "SECONDARY", 0, 1), ("db3", "(not reachable/healthy)", 0, 0));

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.StartsWith("db3:27017 gone: ", result.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(30, HealthStatus.Healthy)]
    [InlineData(31, HealthStatus.Degraded)]
    public async Task Degraded_when_a_secondary_is_too_far_behind(int lag, HealthStatus expected)
    {
        _mongo.Status = Status(("db1", "PRIMARY", 0, 1), ("db2", "SECONDARY", 2, 1), ("db3", "SECONDARY", lag, 1));

        var result = await CheckAsync();

        Assert.Equal(expected, result.Status);
        Assert.Equal((double)lag, result.Data["replicationLagSeconds"]);
    }

    [Fact]
    public async Task The_lag_comes_from_heartbeats_when_the_status_may_not_be_asked_for()
    {
        _mongo.Cluster = FakeMongoProbe.ReplicaSet(
            FakeMongoProbe.Member(1, ServerType.ReplicaSetPrimary, FakeMongoProbe.Now),
            FakeMongoProbe.Member(2, ServerType.ReplicaSetSecondary, FakeMongoProbe.Now.AddSeconds(-7)));

        Assert.Equal(7.0, (await CheckAsync()).Data["replicationLagSeconds"]);
    }

    [Fact]
    public async Task Unhealthy_without_a_primary_though_secondaries_are_there()
    {
        _mongo.Cluster = FakeMongoProbe.ReplicaSet(
            FakeMongoProbe.Member(1, ServerType.Unknown, failure: new IOException("Connection refused")),
            FakeMongoProbe.Member(2, ServerType.ReplicaSetSecondary));
        _mongo.Ping = _ => throw new TimeoutException("A timeout occurred after 3000ms selecting a server");

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Equal("There is no primary: Connection refused.", result.Description);
    }

    [Fact]
    public async Task Unhealthy_when_the_primary_hangs()
    {
        _mongo.Ping = token => Task.Delay(Timeout.InfiniteTimeSpan, token);

        var check = CheckAsync();
        Assert.False(check.IsCompleted);
        _time.Advance(new MongoHealthOptions().Timeout);
        var result = await check;

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Equal("The primary db1:27017 did not answer within 2 s.", result.Description);
    }

    [Fact]
    public async Task Cancelling_the_probe_is_no_verdict()
    {
        using var cancel = new CancellationTokenSource();
        _mongo.Ping = token => Task.Delay(Timeout.InfiniteTimeSpan, token);

        var check = CheckUntilAsync(cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => check);
    }

    private Task<HealthCheckResult> CheckAsync() => CheckUntilAsync(TestContext.Current.CancellationToken);

    private Task<HealthCheckResult> CheckUntilAsync(CancellationToken cancellationToken) =>
        new MongoHealthCheck(_mongo, Options.Create(new MongoOptions()), _time).CheckHealthAsync(new HealthCheckContext(), cancellationToken);

    private static BsonDocument Status(params (string Host, string State, int BehindSeconds, int Health)[] members) =>
        new("members", new BsonArray(members.Select(member => new BsonDocument
        {
            ["name"] = $"{member.Host}:27017",
            ["health"] = (double)member.Health,
            ["stateStr"] = member.State,
            ["optimeDate"] = FakeMongoProbe.Now.AddSeconds(-member.BehindSeconds),
        })));
}
