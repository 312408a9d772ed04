using static Platform.Migrator.Reports.ReportLines;

namespace Platform.Migrator.Sharding;

/// <summary>Prints the reports on sharding for people. A plan can be pasted into mongosh as it is.</summary>
internal static class ShardingText
{
    /// <summary>What a server without shards is told about.</summary>
    public const string NoCluster = "This server is a replica set and no sharded cluster: nothing is distributed.";

    public static void Print(TextWriter output, ShardingPlanReport report)
    {
        if (!report.IsCluster)
        {
            output.WriteLine($"// {NoCluster} This is what 'apply' would send to a new cluster with this database.");
        }

        foreach (var note in report.Notes)
        {
            output.WriteLine($"// In the way: {note}");
        }

        foreach (var step in report.Steps)
        {
            output.WriteLine($"// {Number(step.Number)}. {step.Subject}: {step.Reason}{(step.NeedsPermission ? " Only with --allow-moves." : "")}");
            output.WriteLine(step.Shell);
        }

        output.WriteLine(report.Steps.Count == 0
            ? "// The cluster is as declared."
            : $"// {Count(report.Steps.Count, "command", "commands")}.");
    }

    public static void Print(TextWriter output, ShardingApplyReport report)
    {
        foreach (var step in report.Left)
        {
            Item(output, $"left: {step.Subject}", step.Reason, step.Shell);
        }

        output.WriteLine(
            !report.Complete ? $"{Count(report.Left.Count, "command was", "commands were")} not sent: they need --allow-moves."
            : report.Sent.Count == 0 ? "Nothing to do: the cluster is as declared."
            : "The cluster is as declared.");
    }

    public static void Print(TextWriter output, ShardingStatusReport report)
    {
        if (!report.IsCluster)
        {
            output.WriteLine($"{NoCluster} 'migrator sharding plan' shows what would be, 'migrator sharding simulate' what would come of it.");
            return;
        }

        var shards = New("Shard", "Zones", "", ">Ranges", ">Data");
        foreach (var shard in report.Shards)
        {
            var state = shard.IsDraining ? "draining" : shard.Shard == report.PrimaryShard ? "primary" : "";
            Row(shards, shard.Shard, string.Join(", ", shard.Zones), state, Number(shard.Ranges), Size(shard.Bytes));
        }

        PrintTable(output, shards);
        output.WriteLine();
        var collections = New("Collection", "Key", ">Ranges", ">Jumbo", ">Data", ">Spread", ">Threshold", ">Orphans");
        foreach (var row in report.Collections)
        {
            Row(
                collections, row.Collection, row.Key ?? "not sharded", Number(row.Ranges), Number(row.Jumbo), Size(row.Bytes), Size(row.SpreadBytes),
                Size(row.ThresholdBytes), Number(row.Orphans));
        }

        PrintTable(output, collections);
        output.WriteLine();
        output.WriteLine($"The balancer is {(report.BalancerIsOn == true ? "on" : "off")}{(report.Window is null ? "" : $", between {report.Window}")}.");
        Notes(output, report.Notes);
        output.WriteLine(report.InLine ? "The cluster is as declared." : "The cluster is not as declared; 'migrator sharding plan' says how.");
    }
}
