namespace Platform.Backup.PgBackRest;

/// <summary>Follows the log through the archive.</summary>
/// <param name="Last">The last segment that can be reached from the first one.</param>
/// <param name="Missing">The first one that is not there although there are later ones; null when none is missing.</param>
internal readonly record struct ArchiveChain(WalSegment Last, WalSegment? Missing)
{
    /// <summary>Goes from a segment as far as there are segments.</summary>
    /// <param name="first">The first one.</param>
    /// <param name="archived">All that the archive has.</param>
    /// <returns>Null when not even the first one is there.</returns>
    /// <remarks>
    /// A promotion makes a new timeline, whose first segment has the number of the last one of the timeline before, which was not full then: from that
    /// number on, what the old primary may have archived is not of the history any more.
    /// </remarks>
    public static ArchiveChain? From(WalSegment first, IReadOnlySet<WalSegment> archived)
    {
        if (archived.Count == 0)
        {
            return null;
        }

        var beginnings = archived.GroupBy(segment => segment.Timeline)
            .Where(timeline => timeline.Key > first.Timeline)
            .Select(timeline => new WalSegment(timeline.Key, timeline.Min(segment => segment.Number)))
            .Where(beginning => beginning.Number >= first.Number)
            .ToList();
        var end = archived.Max(segment => segment.Number);
        WalSegment? last = null;
        for (var next = first; next.Number <= end; next = next with { Number = next.Number + 1 })
        {
            foreach (var beginning in beginnings)
            {
                if (beginning.Number == next.Number && beginning.Timeline > next.Timeline)
                {
                    next = beginning;
                }
            }

            if (!archived.Contains(next))
            {
                // What an earlier timeline has beyond its end is of no use, so it is no sign of a gap.
                var isGap = archived.Any(segment => segment.Timeline >= next.Timeline && segment.Number > next.Number);
                return last is { } reached ? new ArchiveChain(reached, isGap ? next : null) : null;
            }

            last = next;
        }

        return last is { } whole ? new ArchiveChain(whole, null) : null;
    }
}
