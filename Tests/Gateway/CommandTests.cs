using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>
/// The commands of <c>Scripts/commands.jsonl</c>, one per line with what the reply has to have or the error's code, through the .NET
/// and the Node.js driver.
/// </summary>
[Collection(CommandsCollection.Name)]
public sealed class CommandTests(GatewayFixture gateway)
{
    [Fact]
    public async Task Commands_through_the_dotnet_driver_have_the_expected_replies()
    {
        var database = gateway.NewDatabase();
        var lines = await File.ReadAllLinesAsync(NodeTools.Script("commands.jsonl"), TestContext.Current.CancellationToken);
        Assert.True(lines.Length >= 150);
        var failures = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            var line = BsonDocument.Parse(lines[i]);
            var target = line.TryGetValue("db", out var name) ? gateway.Client.GetDatabase(name.AsString) : database;
            var why = await RunAsync(target, line);
            if (why is not null)
            {
                failures.Add($"{i + 1} {line["run"]}: {why}");
            }
        }

        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
    }

    [Fact]
    public async Task Commands_through_the_Node_driver_have_the_expected_replies()
    {
        gateway.Require();
        NodeTools.Require("mongodb");
        var (exit, output, errors) = await NodeTools.RunAsync(
            [NodeTools.Script("node-commands.js"), gateway.ConnectionString, "node" + Guid.NewGuid().ToString("N")]);
        var failures = output.Split('\n').Where(l => l.StartsWith("not ok", StringComparison.Ordinal));
        Assert.True(exit == 0, $"The script ended with {exit}:{Environment.NewLine}{string.Join(Environment.NewLine, failures)}{errors}");
        Assert.True(output.Split('\n').Count(l => l.StartsWith("ok ", StringComparison.Ordinal)) >= 150);
    }

    private static async Task<string?> RunAsync(IMongoDatabase database, BsonDocument line)
    {
        try
        {
            var reply = await database.RunCommandAsync<BsonDocument>(line["run"].AsBsonDocument, null, TestContext.Current.CancellationToken);
            return line.TryGetValue("code", out var code) ? $"no error {code}" : Difference(line["expect"], reply, "reply");
        }
        catch (MongoCommandException e)
        {
            return line.TryGetValue("code", out var code) && code == e.Code ? null : $"error {e.Code} {e.Message}";
        }
    }

    /// <summary>Where the value differs from the expectation; null when it has all that is expected.</summary>
    private static string? Difference(BsonValue expected, BsonValue? actual, string at)
    {
        switch (expected)
        {
            case BsonDocument document:
                return document.Select(e => Difference(e.Value, (actual as BsonDocument)?.GetValue(e.Name, null!), $"{at}.{e.Name}"))
                    .FirstOrDefault(d => d is not null);
            case BsonArray array:
                return actual is BsonArray values && values.Count == array.Count
                    ? array.Select((e, i) => Difference(e, values[i], $"{at}[{i}]")).FirstOrDefault(d => d is not null)
                    : $"{at}: {actual} instead of {expected}";
            default:
                return actual is not null && (expected.IsNumeric ? actual.IsNumeric && actual.ToDouble() == expected.ToDouble() : expected == actual)
                    ? null : $"{at}: {actual} instead of {expected}";
        }
    }
}
