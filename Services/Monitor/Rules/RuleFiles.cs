using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Platform.Monitor.Rules;

/// <summary>The catalogue in the forms that others read.</summary>
internal static class RuleFiles
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Prometheus' file of rules. Texts are in JSON's quotes, which YAML reads.
    /// <see href="https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/"/>
    /// </summary>
    public static string Rules()
    {
        var text = new StringBuilder("# Written from the catalogue of alerts, which docs/alerts.md explains.\ngroups:\n  - name: platform\n    rules:\n");
        foreach (var rule in AlertCatalogue.All)
        {
            text.Append($"      - alert: {rule.Name}\n        expr: {Quoted(rule.Expression)}\n");
            if (rule.For.Length > 0)
            {
                text.Append($"        for: {rule.For}\n");
            }

            text.Append($"        labels:\n          severity: {Severity(rule)}\n        annotations:\n          summary: {Quoted(rule.Summary)}\n");
            text.Append($"          description: {Quoted(rule.Meaning)}\n          action: {Quoted(rule.Action)}\n");
        }

        return text.ToString();
    }

    /// <summary>A file of promtool's tests: the cases of all rules that take hours, or those that do not. Each looks at its own alert alone.</summary>
    /// <param name="rules">The path of the file of rules, from where this one is.</param>
    /// <param name="takeHours">Which: the long ones are evaluated less often, as all rules are at every step of each.</param>
    /// <remarks><see href="https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/"/></remarks>
    public static string Tests(string rules, bool takeHours) => new JsonObject
    {
        ["rule_files"] = new JsonArray(rules),
        ["evaluation_interval"] = takeHours ? "5m" : "15s",
        // The summary, which has values in it, is Prometheus' own work.
        ["fuzzy_compare"] = false,
        ["tests"] = new JsonArray([.. AlertCatalogue.All.SelectMany(
            rule => rule.Cases.Where(one => one.TakesHours == takeHours).Select(one => Test(rule, one)))]),
    }.ToJsonString(s_json);

    /// <summary>A table of the alerts, for <c>docs/alerts.md</c>.</summary>
    public static string Page()
    {
        var text = new StringBuilder();
        foreach (var rule in AlertCatalogue.All)
        {
            text.Append($"### {rule.Name}\n\n{rule.Meaning} **What to do:** {rule.Action}\n\n");
            text.Append($"*{Severity(rule)}*{(rule.For.Length > 0 ? $", after {rule.For}" : "")}: `{rule.Expression}`\n\n");
        }

        return text.ToString();
    }

    /// <summary>The label <c>severity</c> of a rule.</summary>
    public static string Severity(AlertRule rule) => rule.Severity.ToString().ToLowerInvariant();

    private static JsonObject Test(AlertRule rule, AlertCase one) => new()
    {
        ["name"] = $"{rule.Name} {(one.Fires.Count > 0 ? "fires" : "is silent")}",
        ["interval"] = "1m",
        ["input_series"] = new JsonArray([.. one.Series.Select(series => new JsonObject { ["series"] = series.Series, ["values"] = series.Values })]),
        // What is compared are the labels: ALERTS has them, and no texts.
        ["promql_expr_test"] = new JsonArray(new JsonObject
        {
            ["expr"] = $"ALERTS{{alertname=\"{rule.Name}\",alertstate=\"firing\"}}",
            ["eval_time"] = one.At,
            ["exp_samples"] = new JsonArray([.. one.Fires.Select(labels => new JsonObject { ["labels"] = Labels(rule, labels), ["value"] = 1 })]),
        }),
    };

    private static string Labels(AlertRule rule, IReadOnlyDictionary<string, string> labels)
    {
        var all = labels.Append(new("alertname", rule.Name)).Append(new("alertstate", "firing")).Append(new("severity", Severity(rule)));
        return $"ALERTS{{{string.Join(", ", all.Select(label => $"{label.Key}=\"{label.Value}\""))}}}";
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text, s_json);
}
