using System.Net;
using Xunit;

namespace Platform.Tests.Server.Http;

/// <summary>The API in front of a real database, asked for anything: some seconds of what <c>./platform bench http --fuzz</c> does for long.</summary>
[Collection(ServerCollection.Name)]
public sealed class HttpFuzzTests(GatewayFixture gateway, ITestOutputHelper output)
{
    private const int Seed = 3;
    private const int Requests = 1500;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_sent_the_database_makes_no_answer_a_defect()
    {
        gateway.Require();
        var database = gateway.NewDatabase();
        var load = await OrderLoad.PrepareAsync(database, 100, Seed, Cancel);
        await using var api = ApiProcess.Start(new Dictionary<string, string>
        {
            ["ConnectionStrings__platform"] = gateway.ConnectionString.Replace("/?", $"/{database.DatabaseNamespace.DatabaseName}?", StringComparison.Ordinal),
            // Nothing listens there: every read comes from the database.
            ["ConnectionStrings__cache"] = "127.0.0.1:9",
            ["Logging__LogLevel__Default"] = "Error",
            ["Logging__LogLevel__StackExchange.Redis"] = "None",
        });
        await api.UntilHealthyAsync(Cancel);
        var fuzz = new HttpFuzz(IPEndPoint.Parse(api.Client.BaseAddress!.Authority), load.Shop, connections: 2);

        await fuzz.RunAsync(Seed, Requests, Cancel);

        output.WriteLine(string.Join(Environment.NewLine, fuzz.Seen));
        Assert.True(fuzz.Findings.Count == 0, string.Join(Environment.NewLine, [.. fuzz.Findings, api.Output]));
        Assert.Contains("POST /tenants/{tenant}/orders 201", fuzz.Seen.Keys);
    }
}
