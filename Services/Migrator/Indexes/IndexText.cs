using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Platform.Migrator.Indexes;

/// <summary>Prints the reports on indexes: as tables, or as JSON.</summary>
internal static class IndexText
{
    private const int WidthOfFiles = 200;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static string Json(object report) => JsonSerializer.Serialize(report, Options);

    public static void Print(TextWriter output, PlanReport report)
    {
        if (report.Changes.Count > 0)
        {
            var table = New("Index", "State", "Keys", "");
            foreach (var change in report.Changes)
            {
                Row(table, $"{change.Collection}.{change.Index}", State(change), change.Keys, change.Reason);
            }

            Print(output, table);
        }

        output.WriteLine(report.InLine ? "The indexes are as declared." : $"{Count(report.Changes.Count, "index differs", "indexes differ")} from the catalogue.");
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
        var table = New("Collection", "Kind", ">Documents", ">Declared", ">Present", ">Missing", ">Changed", ">Unknown", ">Hidden", ">Size");
        foreach (var row in report.Collections)
        {
            Row(
                table, row.Collection, row.Kind, Number(row.Documents), Number(row.Declared), Number(row.Present), Number(row.Missing),
                Number(row.Changed), Number(row.Unknown), Number(row.Hidden), Size(row.IndexBytes));
        }

        Print(output, table);
        Notes(output, report.Notes);
        output.WriteLine(report.InLine ? "The indexes are as declared." : "The indexes are not as declared; 'migrator indexes plan' says how.");
    }

    public static void Print(TextWriter output, UsageReport report)
    {
        var table = New("Index", ">Used", "Since", ">Size", "");
        foreach (var row in report.Indexes)
        {
            Row(
                table,
                $"{row.Collection}.{row.Index}",
                row.Operations is { } operations ? Number(operations) : "?",
                row.Since is { } since ? since.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) : "",
                Size(row.Bytes),
                row.Hidden ? $"Hidden. {row.Purpose}" : row.Purpose);
        }

        Print(output, table);
        Notes(output, report.Notes);
    }

    public static void Print(TextWriter output, AdviceReport report)
    {
        if (report.Advice.Count > 0)
        {
            var table = New("Advice", "Index", "Because", "What to do");
            foreach (var advice in report.Advice)
            {
                Row(table, Word(advice.Kind), advice.Index is null ? advice.Collection : $"{advice.Collection}.{advice.Index}", advice.Reason, advice.Suggestion);
            }

            Print(output, table);
        }

        Notes(output, report.Notes);
        output.WriteLine(report.Advice.Count == 0
            ? $"No advice; {Count(report.SlowQueries, "slow query was", "slow queries were")} looked at."
            : $"{Count(report.Advice.Count, "piece", "pieces")} of advice; {Count(report.SlowQueries, "slow query was", "slow queries were")} looked at.");
    }

    public static void Print(TextWriter output, MaintenanceReport report)
    {
        var table = New("Index", ">Documents", ">Size", ">Budget", "To do", "");
        foreach (var row in report.Indexes)
        {
            Row(
                table,
                $"{row.Collection}.{row.Index}",
                Number(row.Documents),
                Size(row.Bytes),
                row.Budget is { } budget ? Size(budget) : "",
                row.Candidate == MaintenanceCandidate.Keep ? "" : row.Candidate.ToString().ToLowerInvariant(),
                row.Reason);
        }

        Print(output, table);
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
        _ => $"other {change.Difference}",
    };

    private static string Word(IndexAdviceKind kind) => kind switch
    {
        IndexAdviceKind.NotBuilt => "not built",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static Table New(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            var right = column.StartsWith('>');
            var header = new TableColumn(Markup.Escape(right ? column[1..] : column));
            table.AddColumn(right ? header.RightAligned().NoWrap() : header);
        }

        return table;
    }

    private static void Row(Table table, params string[] cells) => table.AddRow([.. cells.Select(cell => new Text(cell))]);

    private static void Print(TextWriter output, Table table)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        if (output != Console.Out || Console.IsOutputRedirected)
        {
            console.Profile.Width = WidthOfFiles;
        }

        console.Write(table);
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
