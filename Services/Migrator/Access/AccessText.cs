using MongoDB.Bson;
using MongoDB.Bson.IO;

namespace Platform.Migrator.Access;

/// <summary>How the users and roles of a server stand.</summary>
/// <param name="InLine">Whether they are as the catalogue says.</param>
/// <param name="Differences">How they differ.</param>
internal sealed record AccessReport(bool InLine, IReadOnlyList<AccessStep> Differences);

/// <summary>Prints reports on users and roles for people.</summary>
internal static class AccessText
{
    /// <summary>Each difference with the command that mends it, for those who have to send it themselves.</summary>
    public static void PrintPlan(TextWriter output, AccessReport report)
    {
        foreach (var step in report.Differences)
        {
            output.WriteLine($"{step.Name}: {step.Text}");
            if (step.Command is { } command)
            {
                var shown = step.Kind == AccessStepKind.UserMissing ? new BsonDocument(command).Add("pwd", "...") : command;
                var json = shown.ToJson(new JsonWriterSettings { OutputMode = JsonOutputMode.RelaxedExtendedJson });
                output.WriteLine($"  db.getSiblingDB(\"{step.Database}\").runCommand({json})");
            }
        }

        Sum(output, report);
    }

    /// <summary>Each difference.</summary>
    public static void Print(TextWriter output, AccessReport report)
    {
        foreach (var step in report.Differences)
        {
            output.WriteLine($"{step.Name}: {step.Text}");
        }

        Sum(output, report);
    }

    private static void Sum(TextWriter output, AccessReport report) => output.WriteLine(
        report.InLine ? "Users and roles are as the catalogue says."
        : report.Differences.Count == 1 ? "1 difference from the catalogue; 'migrator access apply' mends what it may."
        : $"{report.Differences.Count} differences from the catalogue; 'migrator access apply' mends what it may.");
}
