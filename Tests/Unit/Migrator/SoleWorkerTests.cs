using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Servers;
using Platform.Migrator.Execution;
using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.Unit.Migrator;

/// <summary>Work under the migrators' lease when the database goes away meanwhile, as at an election.</summary>
public sealed class SoleWorkerTests
{
    private readonly InMemoryLeaseStore _leases = new(TimeProvider.System);
    private readonly List<long> _fences = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Work_that_loses_its_connection_is_run_again_under_a_new_lease()
    {
        Assert.Equal(3, await RunAsync(() => _fences.Count < 3 ? throw Lost() : Task.FromResult(_fences.Count)));
        Assert.Equal([1L, 2L, 3L], _fences);
    }

    [Fact]
    public async Task A_result_that_tells_of_a_lost_connection_is_not_the_last_word()
    {
        Assert.Equal(2, await RunAsync(() => Task.FromResult(_fences.Count), failureOf: count => count == 1 ? Lost() : null));
        Assert.Equal(2, _fences.Count);
    }

    [Fact]
    public async Task What_fails_again_and_again_is_told_in_the_end()
    {
        await Assert.ThrowsAsync<MongoConnectionException>(() => RunAsync(() => throw Lost()));
        Assert.Equal(5, _fences.Count);
        _fences.Clear();
        Assert.Equal(5, await RunAsync(() => Task.FromResult(_fences.Count), failureOf: _ => Lost()));
    }

    [Fact]
    public async Task What_is_wrong_with_the_work_itself_is_told_at_once()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(() => throw new InvalidOperationException()));
        Assert.Single(_fences);
        Assert.Equal(2, await RunAsync(() => Task.FromResult(_fences.Count), failureOf: _ => new InvalidOperationException()));
        // And the lease is free again.
        Assert.False((await _leases.ReadAsync(SoleWorker.LeaseName, Token))!.IsHeld);
    }

    private Task<int> RunAsync(Func<Task<int>> work, Func<int, Exception?>? failureOf = null) =>
        new SoleWorker(_leases, new LeaseOptions(), TimeProvider.System, NullLogger<SoleWorker>.Instance).RunAsync(
            (fence, _) =>
            {
                _fences.Add(fence);
                return work();
            },
            failureOf ?? (_ => null),
            Token);

    private static MongoConnectionException Lost() =>
        new(new ConnectionId(new ServerId(new ClusterId(1), new DnsEndPoint("db", 27017))), "db hung up.", new IOException("reset"));
}
