using Platform.Backup.Engines;

namespace Platform.Backup.Drills;

/// <summary>How a restored copy differs from what the database had at its moment.</summary>
/// <param name="Documents">How many documents the copy has.</param>
/// <param name="Compared">How many of them could be compared: not those next to which something was written while the moment was marked.</param>
/// <param name="Collections">How many collections were compared.</param>
/// <param name="Indexes">How many indexes were.</param>
/// <param name="Accounts">How many users and roles were.</param>
/// <param name="Findings">What differs.</param>
internal sealed record DrillComparison(long Documents, long Compared, int Collections, int Indexes, int Accounts, IReadOnlyList<Finding> Findings)
{
    /// <summary>Compares. Whatever is the same before and after the moment has to be in the copy, and nothing else that neither has.</summary>
    public static DrillComparison Of(DatabaseMarker marker, DatabaseContents copy)
    {
        var (before, after) = (marker.Before, marker.After);
        var findings = new List<Finding>();
        var (compared, indexes) = (0L, 0);
        foreach (var name in Names(before.Collections, after.Collections, copy.Collections))
        {
            var (first, last, was) = (
                before.Collections.GetValueOrDefault(name), after.Collections.GetValueOrDefault(name), copy.Collections.GetValueOrDefault(name));
            if ((first is null) != (last is null))
            {
                // Made or dropped in the instant.
                continue;
            }

            if (first is null || last is null || was is null)
            {
                findings.Add(new Finding(name, was is null ? "is missing in the copy" : "is in the copy, but was not there"));
                continue;
            }

            if (first.Definition == last.Definition && first.Definition != was.Definition)
            {
                findings.Add(new Finding(name, "has other options or another validator in the copy"));
            }

            indexes += first.Indexes.Count;
            Same(first.Indexes, last.Indexes, was.Indexes, index => $"{name}, index {index}", findings);
            var (missing, added, changed) = (0L, 0L, 0);
            foreach (var part in first.Parts.Keys.Union(last.Parts.Keys).Union(was.Parts.Keys))
            {
                var (then, now, found) = (first.Parts.GetValueOrDefault(part), last.Parts.GetValueOrDefault(part), was.Parts.GetValueOrDefault(part));
                if (found == then || found == now)
                {
                    compared += found?.Documents ?? 0;
                }
                else if (then == now)
                {
                    var difference = (found?.Documents ?? 0) - (then?.Documents ?? 0);
                    missing += Math.Max(0, -difference);
                    added += Math.Max(0, difference);
                    changed += difference == 0 ? 1 : 0;
                }
            }

            Found(name, missing, "are missing in the copy");
            Found(name, added, "are in the copy, but were not there");
            Found(name, changed, "or more are others in the copy");
        }

        Same(before.Accounts, after.Accounts, copy.Accounts, account => account, findings);
        return new DrillComparison(copy.Documents, compared, copy.Collections.Count, indexes, before.Accounts.Count, findings);

        void Found(string name, long count, string fault)
        {
            if (count > 0)
            {
                findings.Add(new Finding(name, $"{count} documents {fault}"));
            }
        }
    }

    private static void Same(
        IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after, IReadOnlyDictionary<string, string> copy,
        Func<string, string> subject, List<Finding> findings)
    {
        foreach (var name in Names(before, after, copy))
        {
            var (first, last, was) = (before.GetValueOrDefault(name), after.GetValueOrDefault(name), copy.GetValueOrDefault(name));
            if (first == last && first != was)
            {
                findings.Add(new Finding(
                    subject(name),
                    was is null ? "is missing in the copy" : first is null ? "is in the copy, but was not there" : "is another one in the copy"));
            }
        }
    }

    private static IEnumerable<string> Names<T>(params IReadOnlyDictionary<string, T>[] all) =>
        all.SelectMany(names => names.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
}
