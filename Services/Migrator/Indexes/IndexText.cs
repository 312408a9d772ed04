using System.Globalization;
using Spectre.Console;

namespace Platform.Migrator.Indexes;

/// <summary>Prints the reports on indexes for people, in lines that fit 80 columns.</summary>
internal static class IndexText
{
    private const int WidthOfFiles = 200;

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

        Print(output, table);
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

        Print(output, table);
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

        Print(output, table);
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

    // No cell of a table may be broken in two: a name that is cut cannot be copied.
    private static Table New(params string[] columns)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var (column, index) in columns.Select((column, index) => (column, index)))
        {
            var right = column.StartsWith('>');
            var header = new TableColumn(Markup.Escape(right ? column[1..] : column)).Padding(0, 0, index == columns.Length - 1 ? 0 : 1, 0);
            header = right ? header.RightAligned() : header;
            table.AddColumn(column == "For" ? header : header.NoWrap());
        }

        return table;
    }

    private static void Row(Table table, params string[] cells) => table.AddRow([.. cells.Select(cell => new Text(cell))]);

    private static void Print(TextWriter output, Table table)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var console =
            AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = Width(output);
        console.Write(table);
        // The console fills every line with blanks.
        foreach (var line in text.ToString().Split(console.Profile.Out.Writer.NewLine, StringSplitOptions.RemoveEmptyEntries))
        {
            output.WriteLine(line.TrimEnd());
        }
    }

    private static int Width(TextWriter output) => output != Console.Out || Console.IsOutputRedirected ? WidthOfFiles : AnsiConsole.Profile.Width;

    // What it is about in one line, and the sentences below it.
    private static void Item(TextWriter output, string title, params string[] sentences)
    {
        output.WriteLine(title);
        foreach (var sentence in sentences)
        {
            output.WriteLine($"  {sentence}");
        }
    }

    private static void Notes(TextWriter output, IReadOnlyList<string> notes)
    {
        foreach (var note in notes)
        {
            output.WriteLine($"Note: {note}");
        }
    }

    private static string Count(int count, string one, string more) => string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : more)}");

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes switch
    {
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0} KiB"),
        < 1024L * 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024 / 1024:0.00} GiB"),
    };
}
