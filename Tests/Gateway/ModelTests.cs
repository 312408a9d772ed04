using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>
/// The gateway against what was not made for it: generated operations of the Node.js driver and Mongoose against a collection in memory, and
/// generated queries against mingo. <c>./platform bench gateway --model</c> does the same in large.
/// </summary>
[Collection(CommandsCollection.Name)]
public sealed class ModelTests(GatewayFixture gateway)
{
    [Fact]
    public Task Operations_of_the_Node_driver_and_Mongoose_agree_with_a_model_also_when_answers_are_lost() =>
        CompareAsync(["mongodb", "mongoose"], "model.js", "--sequences", "100", "--clients", "4");

    [Fact]
    public Task Filters_sorts_projections_and_pipelines_agree_with_mingo() =>
        CompareAsync(["mongodb", "mingo"], "oracle.js", "--queries", "500");

    private async Task CompareAsync(string[] packages, string script, params string[] arguments)
    {
        gateway.Require();
        Array.ForEach(packages, NodeTools.Require);
        var (exit, output, errors) = await NodeTools.RunAsync(
            [NodeTools.Script(script), "m" + Guid.NewGuid().ToString("N"), .. arguments], null, ("MODEL_URI", gateway.ConnectionString));
        Assert.True(exit == 0, $"{script} ended with {exit}:{Environment.NewLine}{output}{errors}");
        Assert.Matches(@"(?m)^(model|oracle): [1-9].* 0 disagreements", output);
    }
}
