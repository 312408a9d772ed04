using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>The Node.js driver against a replica set: concerns, preferences, sessions, and what it repeats.</summary>
public sealed class NodeDriverTests(ReplicaSetFixture set) : IClassFixture<ReplicaSetFixture>
{
    private const int Checks = 30;

    [Fact]
    public async Task The_Node_driver_passes_its_script_of_a_replica_set()
    {
        set.Require();
        NodeTools.Require("mongodb");
        var (exit, output, errors) = await NodeTools.RunAsync(
            [NodeTools.Script("replica-set.js"), set.ConnectionString, "node" + Guid.NewGuid().ToString("N")]);
        Assert.True(exit == 0, $"The script ended with {exit}:{Environment.NewLine}{output}{errors}{Environment.NewLine}{set.Output}");
        Assert.Equal(Checks, output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
    }
}
