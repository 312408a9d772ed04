using System.Globalization;
using System.Text;
using MongoDB.Bson;
using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>What of MongoDB the gateway has, tried by mongosh; docs/gateway-compatibility.md is made of what was tried.</summary>
[Collection(CommandsCollection.Name)]
public sealed class CompatibilityTests(GatewayFixture gateway)
{
    [Fact]
    public async Task The_shell_finds_what_the_compatibility_page_says()
    {
        gateway.Require();
        NodeTools.Require("mongosh");
        var (exit, output, errors) = await NodeTools.RunAsync(
            [
                NodeTools.Program("mongosh", "mongosh.js"), gateway.ConnectionString, "--quiet", "--norc", "--file", NodeTools.Script("compatibility.js"),
            ],
            directory: null,
            ("PLATFORM_DATABASE", "shell" + Guid.NewGuid().ToString("N")));
        var lines = output.Split('\n');
        Assert.True(
            exit == 0,
            string.Join(
                Environment.NewLine,
                [
                    $"mongosh ended with {exit}:",
                    .. lines.Where(l => !l.StartsWith("ok ", StringComparison.Ordinal) && !l.StartsWith("entry ", StringComparison.Ordinal)),
                    errors,
                ]));
        Assert.True(lines.Count(l => l.StartsWith("ok ", StringComparison.Ordinal)) >= 150, "Fewer than 150 checks were made.");

        var entries = lines.Where(l => l.StartsWith("entry ", StringComparison.Ordinal)).Select(l => BsonDocument.Parse(l["entry ".Length..])).ToList();
        var known = await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument("listCommands", 1), cancellationToken: TestContext.Current.CancellationToken);
        var untried = known["commands"].AsBsonDocument.Names.Except(entries.Select(e => e["what"].AsString)).ToList();
        Assert.True(untried.Count == 0, $"Commands that the script does not try: {string.Join(", ", untried)}");

        GeneratedPage.Check("gateway-compatibility.md", Render(entries));
    }

    private static string Render(IReadOnlyList<BsonDocument> entries)
    {
        var page = new StringBuilder(
            """
            # Compatibility of the gateway

            Generated from `Tests/Gateway/Scripts/compatibility.js`, which `mongosh` runs against the gateway: each line below was tried.
            *Supported*: as in MongoDB 7.0 but for the difference named. *Emulated*: the backend has no such thing and the gateway makes it of
            what the backend has. *Refused*: an error says so. What the backend's query language lacks is in the line of its command.


            """);
        foreach (var group in entries.GroupBy(e => e["group"].AsString, StringComparer.Ordinal))
        {
            page.Append(
                CultureInfo.InvariantCulture, $"## {group.Key}\n\n| Command or feature | | Difference to MongoDB | Checks |\n| --- | --- | --- | ---: |\n");
            foreach (var entry in group)
            {
                var difference = entry["difference"].AsString;
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"| {entry["what"]} | {entry["status"]} | {(difference.Length == 0 ? "none" : difference)} | {entry["checks"].ToInt32()} |\n");
            }

            page.Append('\n');
        }

        page.Append(CultureInfo.InvariantCulture, $"{entries.Sum(e => e["checks"].ToInt32())} checks.\n");
        return page.ToString();
    }
}
