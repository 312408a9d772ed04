using System.Globalization;
using Platform.Backup.Copies;
using Platform.Backup.Policy;
using Platform.Backup.Work;

namespace Platform.Backup.Commands;

/// <summary>Reports as text.</summary>
internal static class BackupText
{
    public static string Moment(DateTimeOffset? moment) => moment is { } at ? Moments.Text(at) : "-";

    public static string Size(long bytes) => bytes >= 10L << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0} KiB");

    public static void Print(TextWriter text, IReadOnlyList<ListedBackup> backups)
    {
        if (backups.Count == 0)
        {
            text.WriteLine("There are no backups.");
            return;
        }

        var isCopied = backups.Any(backup => backup.Copied is not null);
        text.WriteLine(
            $"{"backup",-18}{"ended",-22}{"took",8}{"database",12}{"takes",12}  {"proof",-10}{(isCopied ? $"{"copy",-9}" : "")}kept as");
        foreach (var backup in backups)
        {
            var kept = backup.KeptAs.Count == 0 ? "(is removed next)" : string.Join(", ", backup.KeptAs).ToLowerInvariant();
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{backup.Label,-18}{Moment(backup.Stop),-22}{(backup.Stop - backup.Start).TotalSeconds,6:0} s{Size(backup.DatabaseBytes),12}"
                    + $"{Size(backup.RepositoryBytes),12}  {backup.Proof.ToString().ToLowerInvariant(),-10}"
                    + $"{(backup.Copied switch { true => "whole    ", false => "not yet  ", null => "" })}{kept}"));
        }
    }

    public static void Print(TextWriter text, BackupStatus status)
    {
        Line("newest backup", status.Newest is { } newest ? $"{newest.Label}, ended {Moment(newest.Stop)}" : "none");
        Line("backups", status.Backups.ToString(CultureInfo.InvariantCulture));
        Line("restorable", status.Window.From is null ? "nothing" : $"every moment from {Moment(status.Window.From)} to about {Moment(status.Window.Until)}");
        Line("archive", status.Archive.Primary is { } primary
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"member {primary}, last segment {Moment(status.Archive.LastArchivedAt)}, "
                    + $"{status.Archive.Waiting} waiting for {status.ArchiveLag.TotalSeconds:0} s")
            : "no member answers as primary");
        Line("next backup", status.DueSince is { } due ? $"due since {Moment(due)}" : Moment(status.NextDue));
        Line("last verified", status.Verification is { } last
            ? string.Create(CultureInfo.InvariantCulture, $"{Moment(last.At)}, {last.Objects} objects, {last.Findings.Count} findings")
            : "never as a whole");
        Line("last drill", status.Drill?.Sentence() ?? (status.DrillDue is { } first ? $"never; the first one is due at {Moment(first)}" : "never"));
        if (status.Copy is { } copy)
        {
            Line("copy", Sentence(copy));
        }

        foreach (var problem in status.Problems)
        {
            text.WriteLine($"! {problem}");
        }

        void Line(string name, string value) => text.WriteLine($"{name,-15}{value}");
    }

    public static void Print(TextWriter text, CopyStatus copy) => text.WriteLine(Sentence(copy));

    public static void Print(TextWriter text, FetchReport report) => text.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{report.Objects} objects, {Size(report.Bytes)}, were brought from {report.Place} to {report.Directory}: 'backup verify' reads them all."));

    public static void Print(TextWriter text, DrillRecord drill)
    {
        foreach (var check in drill.Checks)
        {
            text.WriteLine(check);
        }

        foreach (var finding in drill.Findings)
        {
            text.WriteLine($"! {finding.Subject} {finding.Fault}");
        }

        text.WriteLine($"The drill of {drill.Sentence()}.");
    }

    public static void Print(TextWriter text, LastVerification verification)
    {
        foreach (var finding in verification.Findings)
        {
            text.WriteLine($"! {finding.Subject}: {finding.Fault}");
        }

        var found = verification.Findings.Count == 0
            ? "all are as they were"
            : string.Create(CultureInfo.InvariantCulture, $"{verification.Findings.Count} findings");
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{verification.Objects} objects were read; {found}."));
    }

    public static void Print(TextWriter text, ExpireReport report)
    {
        foreach (var label in report.Removed)
        {
            text.WriteLine($"{label} {(report.DryRun ? "would be" : "was")} removed.");
        }

        text.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Kept} backups are kept, and {(report.DryRun ? "would have" : "have")} the whole log since the last {report.FullsWithLog} of them."));
    }

    public static void Print(TextWriter text, RestoreReport report)
    {
        text.WriteLine(
            $"The copy has everything that was committed until {report.Target}{(report.LastCommit is { } last ? $" (last at {Moment(last)})" : "")}; it took "
            + string.Create(CultureInfo.InvariantCulture, $"{report.Seconds:0.0} s."));
        text.WriteLine(report.Collections.Any(collection => collection.Now is not null)
            ? $"{"collection",-22}{"in the copy",14}{"now",14}   What was written since is not in the copy:"
            : $"{"collection",-22}{"in the copy",14}");
        foreach (var collection in report.Collections)
        {
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{collection.Name,-22}{collection.Copy,14}{(collection.Now is { } now ? $"{now,14}{now - collection.Copy,12:+0;-0;0}" : "")}"));
        }

        if (report.ConnectionString is { } connectionString)
        {
            text.WriteLine(connectionString);
            text.WriteLine("Ctrl-C removes the copy.");
        }
    }

    public static void Print(TextWriter text, InPlaceReport report)
    {
        text.WriteLine($"{(report.Tenant is { } tenant ? $"Tenant {tenant}" : $"Collection {report.Collection}")} as it was at {report.Target}:");
        foreach (var sentence in report.Structure)
        {
            text.WriteLine(sentence);
        }

        text.WriteLine($"{"collection",-14}{"same",10}{"come back",12}{"change",10}{"go",10}");
        foreach (var changes in report.Changes)
        {
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{changes.Collection,-14}{changes.Same,10}{changes.Inserted,12}{changes.Replaced,10}{changes.Deleted,10}"));
        }

        if (report.NotRestored.Count > 0)
        {
            text.WriteLine($"Not restored: {string.Join(", ", report.NotRestored)} (measurements).");
        }

        text.WriteLine(report switch
        {
            { Applied: true, LeftAlone: 0 } => $"Done. The state before was that of {report.Before}: --at {report.Before} brings it back.",
            { Applied: true } => string.Create(
                CultureInfo.InvariantCulture,
                $"{report.LeftAlone} documents were written to meanwhile and left alone; make a new report for them. "
                    + $"The state before was that of {report.Before}."),
            { Plan: { } plan } => $"Nothing was changed. --apply {plan} does this, and nothing else.",
            _ => "There is nothing to do.",
        });
    }

    public static void Print(TextWriter text, PolicyReport policy)
    {
        Line("engine", policy.Engine);
        Line("directory", policy.Directory);
        Line("backups", $"full, at '{policy.Schedule}' ({policy.TimeZone})");
        Line("verification", $"of each new backup; of everything at '{policy.VerifySchedule}'");
        Line("drills", $"a restore is tried at '{policy.DrillSchedule}'");
        Line("kept", string.Create(CultureInfo.InvariantCulture, $"{policy.KeepDaily} daily, {policy.KeepMonthly} monthly; the newest proven one always"));
        Line("copy", policy.Copy ?? "none: Backup:S3:Bucket is not set");
        Line("window", $"every moment of the last {policy.Window:c}; the log is archived within 60 s");
        foreach (var capability in policy.Capabilities)
        {
            Line("can do", capability);
        }

        foreach (var lack in policy.NotSupported)
        {
            Line("not supported", lack);
        }

        void Line(string name, string value) => text.WriteLine($"{name,-15}{value}");
    }

    private static string Sentence(CopyStatus copy)
    {
        var waits = copy.Waiting == 0 ? "nothing waits"
            : string.Create(CultureInfo.InvariantCulture, $"{copy.Waiting} objects, {Size(copy.WaitingBytes)}, wait for {copy.LagSeconds:0} s");
        return $"{copy.Place}, {(copy.LastSuccess is { } last ? $"whole at {Moment(last)}" : "never whole yet")}, {waits}"
            + (copy.Error is { } error ? $"; fails since {Moment(copy.ErrorAt)}: {error}" : "")
            + (copy.Verification is { } compared
                ? string.Create(CultureInfo.InvariantCulture, $"; compared at {Moment(compared.At)}, {compared.Findings.Count} findings")
                : "");
    }
}
