using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.SecurityTool.Checks;

namespace Platform.SecurityTool.Reports;

/// <summary>
/// The report in the form that scanners of code hosts read. <see href="https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"/>
/// </summary>
internal static class Sarif
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    /// <summary>A log with one run, a rule for each check, and a result for each piece of evidence against one.</summary>
    public static string Of(SecurityReport report) => new JsonObject
    {
        ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json",
        ["version"] = "2.1.0",
        ["runs"] = new JsonArray(new JsonObject
        {
            ["tool"] = new JsonObject
            {
                ["driver"] = new JsonObject
                {
                    ["name"] = "platform security check",
                    ["rules"] = new JsonArray([.. report.Checks.Select(Rule)]),
                },
            },
            ["results"] = new JsonArray([.. report.Checks.SelectMany(Results)]),
        }),
    }.ToJsonString(s_json);

    private static JsonObject Rule(CheckedLine check) => new()
    {
        ["id"] = check.Id,
        ["shortDescription"] = Text(check.Title),
        ["fullDescription"] = Text($"{check.Why} ({check.Source})"),
        ["help"] = Text(check.Mend),
    };

    private static IEnumerable<JsonNode> Results(CheckedLine check) => check.Verdict is CheckVerdict.Passed or CheckVerdict.NotApplicable
        ? []
        : check.Evidence.Select(evidence => new JsonObject
        {
            ["ruleId"] = check.Id,
            ["level"] = check.Verdict == CheckVerdict.Failed ? "error" : "warning",
            ["message"] = Text(evidence),
            // What was found is a running program's and stands in no file.
            ["locations"] = new JsonArray(new JsonObject
            {
                ["logicalLocations"] = new JsonArray(new JsonObject { ["name"] = check.Id, ["kind"] = "resource" }),
            }),
        });

    private static JsonObject Text(string text) => new() { ["text"] = text };
}
