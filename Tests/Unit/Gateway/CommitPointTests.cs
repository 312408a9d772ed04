using Platform.Gateway.Backend;
using Platform.Gateway.Postgres;
using Platform.Gateway.Sockets;
using Platform.Gateway.Topology;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>What can be read that may not be on a majority: compared with a model that knows every commit.</summary>
public sealed class CommitPointTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_is_seen_and_not_on_a_majority_is_known_to_be_so(int seed)
    {
        var notice = false;
        using var server = new FakePostgres(call => call.Sql.StartsWith("SELECT pg_logical_emit_message", StringComparison.Ordinal)
            ? [.. FakePostgres.Row([1]), .. FakePostgres.Complete, .. notice ? FakePostgres.Message('N', "C01000\0RSyncRepWaitForLSN\0\0"u8) : []]
            : FakePostgres.Complete);
        await using var connection = new BackendConnection(
            await PostgresConnection.OpenAsync(PostgresSettings.Parse(server.ConnectionString), BusyWait.None, Cancel), 1);
        var state = new MemberState();
        state.Found();
        state.Become(MemberRole.Primary, 1);
        var point = new CommitPoint(state);
        Assert.True(point.IsBehind, "Nobody knows who else has what a new primary has.");

        var random = new Random(seed);
        var (writing, uncovered, term, caught) = (0, true, 1L, 0);
        for (var i = 0; i < 2_000; i++)
        {
            switch (random.Next(7))
            {
                case 0:
                    point.Enter();
                    writing++;
                    break;
                case 1 when writing > 0:
                    var covered = random.Next(3) == 0;
                    point.Exit(covered);
                    writing--;
                    uncovered |= !covered;
                    break;
                case 2 when random.Next(4) == 0:
                    point.Weaken();
                    uncovered = true;
                    break;
                case 3 when random.Next(20) == 0:
                    state.Become(MemberRole.Primary, ++term);
                    uncovered = true;
                    break;
                case 4:
                    notice = random.Next(4) == 0;
                    Assert.Equal(!notice, await point.CatchUpAsync(connection, Cancel));
                    uncovered &= notice;
                    caught += notice ? 0 : 1;
                    break;
            }

            Assert.Equal(uncovered || writing > 0, point.IsBehind);
        }

        Assert.True(caught > 100);
    }

    [Fact]
    public async Task A_write_that_ends_while_a_majority_is_waited_for_is_not_covered_by_that_wait()
    {
        CommitPoint? point = null;
        using var server = new FakePostgres(call =>
        {
            if (call.Sql.StartsWith("SELECT pg_logical_emit_message", StringComparison.Ordinal))
            {
                point!.Enter();
                point.Exit(covered: false);
            }

            return FakePostgres.Complete;
        });
        await using var connection = new BackendConnection(
            await PostgresConnection.OpenAsync(PostgresSettings.Parse(server.ConnectionString), BusyWait.None, Cancel), 1);
        var state = new MemberState();
        state.Found();
        state.Become(MemberRole.Primary, 1);
        point = new CommitPoint(state);
        Assert.True(await point.CatchUpAsync(connection, Cancel));
        Assert.True(point.IsBehind);

        state.Become(MemberRole.Secondary, 2);
        Assert.False(await point.CatchUpAsync(connection, Cancel), "Who is not primary any more has proved nothing.");
    }
}
