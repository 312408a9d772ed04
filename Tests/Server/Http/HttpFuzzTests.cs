using Xunit;

namespace Platform.Tests.Server.Http;

/// <summary>The API in front of a real database, asked for anything: some seconds of what <c>./platform bench http --fuzz</c> does for long.</summary>
public sealed class HttpFuzzTests(MongoServer server, ITestOutputHelper output)
{
    private const int Seed = 3;
    private const int Requests = 1500;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_sent_the_database_makes_no_answer_a_defect()
    {
        var database = server.NewDatabase(MongoFeature.Transactions);
        var load = await OrderLoad.PrepareAsync(database, 100, Seed, Cancel);
        // Without a cache every read comes from the database.
        await using var api = await ApiProcess.StartHealthyAsync(server.ConnectionStringOf(database), ApiProcess.NoCache, [], Cancel);
        var fuzz = new HttpFuzz(api.Address, load.Shop, connections: 2);

        await fuzz.RunAsync(Seed, Requests, Cancel);

        output.WriteLine(string.Join(Environment.NewLine, fuzz.Seen));
        Assert.True(fuzz.Findings.Count == 0, string.Join(Environment.NewLine, [.. fuzz.Findings, api.Process.Output]));
        Assert.Contains("POST /tenants/{tenant}/orders 201", fuzz.Seen.Keys);
    }
}
