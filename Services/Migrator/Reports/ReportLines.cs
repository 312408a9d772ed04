using System.Globalization;
using Spectre.Console;

namespace Platform.Migrator.Reports;

/// <summary>Lines and tables of reports for people.</summary>
internal static class ReportLines
{
    private const int WidthOfFiles = 200;

    /// <summary>A table with these columns; <c>&gt;</c> before a name sets the column to the right.</summary>
    /// <remarks>No cell is broken in two: a name that is cut cannot be copied.</remarks>
    public static Table New(params string[] columns)
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

    /// <summary>Adds a row.</summary>
    public static void Row(Table table, params string[] cells) => table.AddRow([.. cells.Select(cell => new Text(cell))]);

    /// <summary>Prints a table.</summary>
    public static void PrintTable(TextWriter output, Table table)
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

    /// <summary>How many characters fit in a line.</summary>
    public static int Width(TextWriter output) => output != Console.Out || Console.IsOutputRedirected ? WidthOfFiles : AnsiConsole.Profile.Width;

    /// <summary>Prints what it is about in one line, and sentences below it.</summary>
    public static void Item(TextWriter output, string title, params string[] sentences)
    {
        output.WriteLine(title);
        foreach (var sentence in sentences)
        {
            output.WriteLine($"  {sentence}");
        }
    }

    /// <summary>Prints notes, a line each.</summary>
    public static void Notes(TextWriter output, IReadOnlyList<string> notes)
    {
        foreach (var note in notes)
        {
            output.WriteLine($"Note: {note}");
        }
    }

    /// <summary>A number with its noun.</summary>
    public static string Count(int count, string one, string more) => string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : more)}");

    /// <summary>A number with separators.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A size in bytes, as people read it.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0} KiB"),
        < 1024L * 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024 / 1024:0.00} GiB"),
    };
}
