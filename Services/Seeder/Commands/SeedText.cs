using System.Globalization;
using System.Text;
using Platform.Seeder.Storage;
using Platform.Seeder.Verification;

namespace Platform.Seeder.Commands;

/// <summary>Reports as people read them.</summary>
internal static class SeedText
{
    public static string Of(SeedStatus status)
    {
        var text = new StringBuilder();
        Line(text, $"The database '{status.Database}' is {(status.Environment is null ? "not marked" : $"marked as {status.Environment}")}.");
        switch (status)
        {
            case { State: SeedState.NotSeeded }:
                Line(text, $"It is not seeded.");
                break;
            case { Marker: null }:
                Line(text, $"It holds seeded documents, but no record of a run: 'seeder run' writes them anew, 'seeder clean' removes them.");
                break;
            case { Marker: { } marker }:
                const string gone = "some documents are gone since ('seeder run' writes them again)";
                Line(text, (status.State == SeedState.Seeded, marker.Complete) switch
                {
                    (true, _) => $"Seeded at {marker.CompletedAt:u}: {Origin(marker)}.",
                    (_, true) => $"Seeded at {marker.CompletedAt:u}, and {gone}: {Origin(marker)}.",
                    _ => (FormattableString)$"The run begun at {marker.StartedAt:u} is not complete ('seeder run' completes it): {Origin(marker)}.",
                });
                Line(text, $"Hash {marker.Hash}");
                if (marker.RemovedTenants.Count > 0)
                {
                    Line(text, $"Removed since: {string.Join(", ", marker.RemovedTenants)}.");
                }

                break;
        }

        text.AppendLine();
        Line(text, $"{"collection",-15} {"seeded",12} {"expected",12} {"others",12}");
        foreach (var collection in status.Collections)
        {
            Line(text, $"{collection.Collection,-15} {collection.Seeded,12:N0} {collection.Expected,12:N0} {collection.Others,12:N0}");
        }

        var all = status.Collections;
        Line(text, $"{"total",-15} {all.Sum(c => c.Seeded),12:N0} {all.Sum(c => c.Expected),12:N0} {all.Sum(c => c.Others),12:N0}");
        return text.ToString().TrimEnd();
    }

    public static string Of(VerifyReport report)
    {
        var text = new StringBuilder();
        Line(text, $"{"collection",-15} {"expected",10} {"missing",7} {"changed",7} {"extra",7} {"references",10} {"broken",6} {"invalid",7} hash");
        foreach (var c in report.Collections)
        {
            FormattableString documents = $"{c.Collection,-15} {c.Expected,10:N0} {c.Missing,7:N0} {c.Changed,7:N0} {c.Unexpected,7:N0}";
            FormattableString faults = $"{c.References,10:N0} {c.BrokenReferences,6:N0} {c.Invalid,7:N0} {(c.Hash == c.ExpectedHash ? "ok" : "differs")}";
            Line(text, $"{FormattableString.Invariant(documents)} {FormattableString.Invariant(faults)}");
        }

        foreach (var example in report.Collections.SelectMany(collection => collection.Examples))
        {
            Line(text, $"  {example}.");
        }

        foreach (var promise in report.Promises)
        {
            Line(text, $"{(promise.Holds ? "ok   " : "wrong")} {promise.Promise}");
            foreach (var example in promise.Examples)
            {
                Line(text, $"  {example}.");
            }
        }

        if (report.RemovedTenants.Count > 0)
        {
            Line(text, $"Not expected, since removed: {string.Join(", ", report.RemovedTenants)}.");
        }

        Line(text, $"Hash {report.Hash}{(report.Hash == report.ExpectedHash ? ", as expected" : $", but {report.ExpectedHash} is expected")}");
        FormattableString verdict = report switch
        {
            { Holds: true } =>
                $"The seeded data is as it was written (seed {report.Seed}, scale {report.Scale}, {report.Tenants} tenants, until {report.Until}).",
            { Complete: true } => $"The seeded data is not as it was written; 'seeder run --again' writes it anew.",
            _ => $"The last run is not complete; 'seeder run' completes it.",
        };
        Line(text, verdict);
        return text.ToString().TrimEnd();
    }

    /// <summary>Numbers of documents by collection, in a row.</summary>
    public static string Of(IReadOnlyDictionary<string, long> counts) =>
        string.Join(", ", counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key} {count.Value:N0}")));

    private static string Origin(SeedMarker marker) => string.Create(
        CultureInfo.InvariantCulture,
        $"seed {marker.Seed}, scale {marker.Scale}, {marker.Tenants} tenants, until {marker.Until}, {marker.Documents:N0} documents");

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
