using System.Globalization;
using static Platform.Migrator.Reports.ReportLines;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>Prints what is said of keys for people.</summary>
internal static class AdviceText
{
    // Of the keys that are worse, so many are explained; the others are in the table.
    private const int Explained = 3;

    public static void Print(TextWriter output, ShardingAdviceReport report)
    {
        foreach (var collection in report.Collections)
        {
            Print(output, collection);
            output.WriteLine();
        }

        Notes(output, report.Notes);
        var worse = report.Collections.Where(collection => !collection.DeclaredIsBest).Select(collection => collection.Collection).ToList();
        output.WriteLine(worse.Count == 0
            ? "The declared keys are the best of those that were judged."
            : $"Look at {string.Join(", ", worse)}: another key is better than the declared one.");
    }

    private static void Print(TextWriter output, CollectionAdvice advice)
    {
        var sample = advice.Sampled < advice.Documents ? $", judged by {Number(advice.Sampled)} of them" : "";
        output.WriteLine($"{advice.Collection}: {Number(advice.Documents)} documents, {Size(advice.Bytes)}{sample}");
        var table = New("", "Key", ">Values", ">Stays together", ">To one quarter", ">Reads: one, some, all", ">Writes", "");
        foreach (var key in advice.Keys)
        {
            Row(
                table,
                key.IsDeclared ? "*" : "",
                key.Key,
                Number(key.Figures.Distinct),
                Size(key.Figures.LargestPieceBytes),
                key.Figures.NewestInOneRange is { } share ? share.ToString("0 %", CultureInfo.InvariantCulture) : "-",
                Text(key.Reads),
                Text(key.Writes),
                key.IsPossible ? "" : "refused");
        }

        PrintTable(output, table);
        foreach (var note in advice.Notes)
        {
            output.WriteLine($"  {note}");
        }

        var best = advice.Keys[0];
        Item(
            output,
            best.IsDeclared ? $"  {best.Key} is declared, and the best of {advice.Keys.Count}:" : $"  {best.Key} is better than the declared key:",
            [.. best.For.Select(reason => $"  + {reason}"), .. best.Against.Select(reason => $"  - {reason}"), .. OfServer(best)]);
        foreach (var key in advice.Keys.Skip(1).Where((key, place) => place < Explained || key.IsDeclared))
        {
            Item(output, $"  {key.Key}{(key.IsDeclared ? ", the declared key" : "")}:", [.. key.Against.Select(reason => $"  - {reason}"), .. OfServer(key)]);
        }
    }

    private static IEnumerable<string> OfServer(JudgedKey key) => key.Server is null ? [] : [$"  = The server: {key.Server}."];

    private static string Text(KeyTargets targets) => targets.Total == 0 ? "-" : $"{Number(targets.One)}, {Number(targets.Some)}, {Number(targets.All)}";
}
