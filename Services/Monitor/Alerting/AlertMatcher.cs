using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Platform.Monitoring;

namespace Platform.Monitor.Alerting;

/// <summary>What an alert's label has to be, or not to be.</summary>
/// <param name="Label">The label.</param>
/// <param name="Value">The value, or a regular expression for all of it.</param>
/// <param name="IsRegex">Whether it is a regular expression.</param>
/// <param name="IsEqual">Whether it has to fit, and not to differ.</param>
internal sealed partial record AlertMatcher(string Label, string Value, bool IsRegex = false, bool IsEqual = true)
{
    /// <summary>Reads what people write: an alert's name, or <c>label=value</c>, <c>label!=value</c>, <c>label=~regex</c>, <c>label!~regex</c>.</summary>
    /// <returns>Null: it is none.</returns>
    public static AlertMatcher? Parse(string text)
    {
        if (Name().IsMatch(text))
        {
            return new AlertMatcher(AlertNames.Label, text);
        }

        return Written().Match(text) is { Success: true } match
            ? new AlertMatcher(
                match.Groups["label"].Value, match.Groups["value"].Value, match.Groups["sign"].Value[^1] == '~', match.Groups["sign"].Value[0] == '=')
            : null;
    }

    /// <summary>Reads Alertmanager's form.</summary>
    public static AlertMatcher Read(JsonNode matcher) => new(
        matcher["name"]!.GetValue<string>(), matcher["value"]!.GetValue<string>(), matcher["isRegex"]!.GetValue<bool>(),
        matcher["isEqual"]?.GetValue<bool>() ?? true);

    /// <summary>Alertmanager's form.</summary>
    public JsonObject ToJson() => new() { ["name"] = Label, ["value"] = Value, ["isRegex"] = IsRegex, ["isEqual"] = IsEqual };

    /// <inheritdoc/>
    public override string ToString() => $"{Label}{(IsEqual ? "=" : "!")}{(IsRegex ? "~" : IsEqual ? "" : "=")}{Value}";

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Name();

    [GeneratedRegex("^(?<label>[A-Za-z_][A-Za-z0-9_]*)(?<sign>=~|!=|!~|=)(?<value>.+)$", RegexOptions.Singleline)]
    private static partial Regex Written();
}
