using System.Globalization;
using static Platform.Migrator.Reports.ReportLines;

namespace Platform.Migrator.Indexes;

/// <summary>Prints the reports on indexes for people, in lines that fit 80 columns.</summary>
internal static class IndexText
{
    // Purposes are worth a column of their own where there is room for some words in a line.
    private const int LeastWidthOfWords = 30;

    public static void Print(TextWriter output, PlanReport report)
    {
        foreach (var change in report.Changes)
        {
            Item(output, $"{State(change)}: {change.Collection}.{change.Index} {change.Keys}", change.Reason);
        }

        foreach (var change in report.Collections)
        {
            Item(output, change, "'migrator up' looks after collections.");
        }

        output.WriteLine(
            report.InLine ? "The indexes are as declared."
            : report.Changes.Count == 0 ? "The indexes are as declared, but not the collections."
            : $"{Count(report.Changes.Count, "index differs", "indexes differ")} from the catalogue.");
    }

    public static void Print(TextWriter output, ApplyReport report)
    {
        var left = report.Outcomes.Count(outcome => outcome.Outcome is IndexOutcomeKind.Left or IndexOutcomeKind.Hidden);
        output.WriteLine(report.Outcomes.Count == 0 ? "Nothing to do: the indexes are as declared."
            : left == 0 ? "The indexes are as declared."
            : $"{Count(left, "index still differs", "indexes still differ")} from the catalogue.");
    }

    public static void Print(TextWriter output, IndexStatusReport report)
    {
        var table = New("Collection", "Kind", ">Documents", ">Present", ">Changed", ">Unknown", ">Hidden", ">Size");
        foreach (var row in report.Collections)
        {
            Row(
                table, row.Collection, row.Kind, Number(row.Documents), $"{Number(row.Present)} of {Number(row.Declared)}", Number(row.Changed),
                Number(row.Unknown), Number(row.Hidden), Size(row.IndexBytes));
        }

        PrintTable(output, table);
        Notes(output, report.Notes);
        output.WriteLine(report.InLine ? "The indexes are as declared." : "The indexes are not as declared; 'migrator indexes plan' says how.");
    }

    public static void Print(TextWriter output, UsageReport report)
    {
        var named = report.Indexes.Select(row => $"{row.Collection}.{row.Index}".Length).Append(0).Max();
        var purposes = Width(output) - named - "Used    2026-11-24 21:47  1.0 MiB  ".Length >= LeastWidthOfWords;
        var table = purposes ? New("Index", ">Used", "Since", ">Size", "For") : New("Index", ">Used", "Since", ">Size");
        foreach (var row in report.Indexes)
        {
            string[] cells =
            [
                $"{row.Collection}.{row.Index}",
                row.Operations is { } operations ? Number(operations) : "?",
                row.Since is { } since ? since.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) : "",
                Size(row.Bytes),
            ];
            Row(table, purposes ? [.. cells, row.Hidden ? $"Hidden. {row.Purpose}" : row.Purpose] : cells);
        }

        PrintTable(output, table);
        Notes(output, report.Notes);
    }

    public static void Print(TextWriter output, AdviceReport report)
    {
        foreach (var advice in report.Advice)
        {
            Item(
                output,
                $"{Word(advice.Kind)}: {(advice.Index is null ? advice.Collection : $"{advice.Collection}.{advice.Index}")}",
                advice.Reason,
                advice.Suggestion);
        }

        Notes(output, report.Notes);
        output.WriteLine(report.Advice.Count == 0
            ? $"No advice; {Count(report.SlowQueries, "slow query was", "slow queries were")} looked at."
            : $"{Count(report.Advice.Count, "piece", "pieces")} of advice; {Count(report.SlowQueries, "slow query was", "slow queries were")} looked at.");
    }

    public static void Print(TextWriter output, MaintenanceReport report)
    {
        var table = New("Index", ">Documents", ">Size", ">Budget", "To do");
        foreach (var row in report.Indexes)
        {
            Row(
                table, $"{row.Collection}.{row.Index}", Number(row.Documents), Size(row.Bytes), row.Budget is { } budget ? Size(budget) : "",
                row.Candidate == MaintenanceCandidate.Keep ? "" : Word(row.Candidate));
        }

        PrintTable(output, table);
        foreach (var row in report.Indexes.Where(row => row.Candidate != MaintenanceCandidate.Keep))
        {
            Item(output, $"{Word(row.Candidate)}: {row.Collection}.{row.Index}", row.Reason);
        }

        Notes(output, report.Notes);
        output.WriteLine($"{Size(report.Indexes.Sum(row => row.Bytes))} in {Count(report.Indexes.Count, "index", "indexes")}; "
            + (report.WithinBudget ? "within the budget." : "the budget is exceeded."));
    }

    private static string State(PlannedChange change) => change.Kind switch
    {
        IndexChangeKind.Missing => "missing",
        IndexChangeKind.Unknown => change.HiddenSince is { } since
            ? $"unknown, hidden since {since.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}"
            : "unknown",
        IndexChangeKind.Renamed => "renamed",
        IndexChangeKind.Interim => "left over",
        _ => $"other {change.Difference}",
    };

    private static string Word(IndexAdviceKind kind) => kind switch
    {
        IndexAdviceKind.NotBuilt => "not built",
        IndexAdviceKind.Unscoped => "no tenant named",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static string Word(MaintenanceCandidate candidate) => candidate.ToString().ToLowerInvariant();
}
