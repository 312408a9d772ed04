using System.Globalization;
using System.Text.Json;
using Platform.Audit;
using Platform.Jobs;

namespace Platform.AuditTool;

/// <summary>The log as people read it: a line for each record, without anything that would move a terminal's cursor.</summary>
internal sealed class AuditText(TextWriter output, bool colours)
{
    private const int LongestParticulars = 400;

    /// <summary>A writer to the console, with colours where people look at it.</summary>
    public static AuditText Console() => new(System.Console.Out, JobReport.HasColours);

    /// <summary>Prints a record: when, by whom it was written, who, from where, what, and how it ended.</summary>
    public void Print(AuditEntry entry)
    {
        if (entry.Record is not { } record)
        {
            output.WriteLine($"{Paint("31", "unreadable")}  {entry.Writer}/{entry.File}:{entry.Line.ToString(CultureInfo.InvariantCulture)}");
            return;
        }

        var who = record.Users.Count == 0 ? "-" : string.Join(',', record.Users.Select(user => $"{user.User}@{user.Database}"));
        var at = record.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
        var how = record.Result == 0 ? Paint("32", "ok") : Paint("31", Failure(record.Result));
        var line = $"{Shown(entry.Writer),-9} {Shown(record.Type),-20} {Shown(who),-26} {record.Remote?.ToString() ?? "-",-21}";
        output.WriteLine($"{Paint("2", at)} {line} {how}  {Shown(Particulars(record.Param), LongestParticulars)}");
    }

    /// <summary>Prints what came of a verification.</summary>
    public void Print(AuditVerification verification)
    {
        var range = verification.Last == 0 ? "no line" : string.Create(
            CultureInfo.InvariantCulture,
            $"{verification.Lines} lines in {verification.Files} {(verification.Files == 1 ? "file" : "files")}, {verification.First} to {verification.Last}");
        var verdict = verification.FindingCount == 0 ? Paint("32", "as written") : Paint("31", "NOT AS WRITTEN");
        output.WriteLine($"{Shown(verification.Writer),-9} {range}: {verdict}");
        foreach (var finding in verification.Findings)
        {
            output.WriteLine($"  {Paint("31", Shown($"{verification.Writer}/{finding.Sentence}"))}");
        }

        if (verification.FindingCount > verification.Findings.Count)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  and {verification.FindingCount - verification.Findings.Count} findings more"));
        }

        foreach (var note in verification.Notes)
        {
            output.WriteLine($"  {Shown(note)}");
        }
    }

    private static string Failure(int code) => code switch
    {
        13 => "unauthorized",
        17 => "protocol error",
        18 => "failed",
        334 => "no such mechanism",
        337 => "abandoned",
        11601 => "client left",
        10107 or 13435 => "not primary",
        _ => $"error {code.ToString(CultureInfo.InvariantCulture)}",
    };

    private static string Particulars(JsonElement param) => param.ValueKind == JsonValueKind.Object
        ? string.Join(' ', param.EnumerateObject().Where(field => field.Value.ValueKind != JsonValueKind.Null)
            .Select(field => $"{field.Name}={Value(field.Value)}"))
        : param.ToString();

    private static string Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => $"[{string.Join(' ', value.EnumerateArray().Select(Value))}]",
        JsonValueKind.Object when value.TryGetProperty("role", out var role) && value.TryGetProperty("db", out var database) => $"{role}@{database}",
        JsonValueKind.Object => $"{{{string.Join(' ', value.EnumerateObject().Select(field => $"{field.Name}={Value(field.Value)}"))}}}",
        _ => value.ToString(),
    };

    private static string Shown(string text, int longest = Printable.Longest) => Printable.Of(text, longest);

    private string Paint(string colour, string text) => colours ? $"\e[{colour}m{text}\e[0m" : text;
}
