using System.Globalization;
using static Platform.Migrator.Reports.ReportLines;

namespace Platform.Migrator.Sharding.Simulation;

/// <summary>Prints a simulation for people.</summary>
internal static class SimulationText
{
    /// <summary>Shards first, then collections, then what it comes to.</summary>
    public static void Print(TextWriter output, SimulationReport report)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(report);
        output.WriteLine($"{Number(report.Tenants)} tenants with {Megabytes(report.Megabytes)}; the largest, {report.LargestTenant}, has "
            + $"{Megabytes(report.LargestMegabytes)}.");
        foreach (var sentence in report.Happened)
        {
            output.WriteLine(sentence);
        }

        output.WriteLine();
        var hasRegions = report.Shards.Any(shard => shard.Region is not null);
        var shards = hasRegions
            ? New("Shard", "Region", "", ">Before", ">After", ">Ranges in", ">Ranges out")
            : New("Shard", "", ">Before", ">After", ">Ranges in", ">Ranges out");
        foreach (var shard in report.Shards)
        {
            string[] first = hasRegions ? [shard.Shard, shard.Region ?? "", shard.State] : [shard.Shard, shard.State];
            Row(shards, [.. first, Megabytes(shard.BeforeMegabytes), Megabytes(shard.AfterMegabytes), Number(shard.In), Number(shard.Out)]);
        }

        PrintTable(output, shards);
        output.WriteLine();
        var collections = New("Collection", ">Data", ">Ranges", ">Jumbo", ">Moved", ">Spread before", ">After", ">Threshold");
        foreach (var collection in report.Collections)
        {
            Row(
                collections, collection.Collection, Megabytes(collection.Megabytes), Number(collection.Ranges), Number(collection.Jumbo),
                Megabytes(collection.MovedMegabytes), Megabytes(collection.BeforeSpreadMegabytes), Megabytes(collection.AfterSpreadMegabytes),
                Megabytes(collection.ThresholdMegabytes));
        }

        PrintTable(output, collections);
        output.WriteLine();
        foreach (var finding in report.Findings)
        {
            output.WriteLine(finding);
        }

        output.WriteLine(Sum(report));
    }

    /// <summary>What moved, in a sentence.</summary>
    public static string Sum(SimulationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return report.Migrations == 0
            ? "Nothing moves."
            : $"{Number(report.Migrations)} {(report.Migrations == 1 ? "migration moves" : "migrations move")} {Megabytes(report.MovedMegabytes)} in "
                + $"{Time(report.Hours)}.";
    }

    /// <summary>A size in MB, as people read it.</summary>
    public static string Megabytes(double megabytes) => megabytes switch
    {
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{megabytes / 1_000_000:0.00} TB"),
        >= 1_000 => string.Create(CultureInfo.InvariantCulture, $"{megabytes / 1_000:0.0} GB"),
        >= 10 or 0 => string.Create(CultureInfo.InvariantCulture, $"{megabytes:0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{megabytes:0.0} MB"),
    };

    /// <summary>A time in hours, as people read it.</summary>
    public static string Time(double hours) => hours switch
    {
        >= 48 => string.Create(CultureInfo.InvariantCulture, $"{hours / 24:0.0} days"),
        >= 1 => string.Create(CultureInfo.InvariantCulture, $"{hours:0.0} hours"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{hours * 60:0.0} minutes"),
    };
}
