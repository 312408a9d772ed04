namespace Platform.Seeder.Generation;

/// <summary>A row of keys' numbers of one collection: what one task makes, writes, reads or removes at a time.</summary>
/// <param name="Part">The collection.</param>
/// <param name="Index">Which piece of its collection, from 0.</param>
/// <param name="From">The first number.</param>
/// <param name="To">One more than the last number.</param>
internal sealed record SeedPiece(SeedCollection Part, int Index, long From, long To)
{
    /// <summary>Cuts collections, one after the other, without the tenants that <paramref name="left"/> leaves out.</summary>
    public static IEnumerable<SeedPiece> Of(IEnumerable<SeedCollection> parts, int size, Func<int, bool> left)
    {
        foreach (var part in parts)
        {
            var index = 0;
            foreach (var (first, last) in Rows((int)(part.Count / part.CountPerTenant), left))
            {
                foreach (var (from, to) in part.Pieces(first * part.CountPerTenant, last * part.CountPerTenant, size))
                {
                    yield return new SeedPiece(part, index++, from, to);
                }
            }
        }
    }

    /// <summary>
    /// Cuts collections, those with a costly index spread evenly over the time of the others, which come one after the other. Writing into
    /// such an index takes so long that several such writes at once wait for each other while the machine has nothing to do.
    /// </summary>
    public static IEnumerable<SeedPiece> Mixed(IReadOnlyCollection<SeedCollection> parts, int size, Func<int, bool> left)
    {
        var lanes = parts
            .GroupBy(part => part.Definition.Indexes.Any(index => index.IsCostly))
            .Select(lane => (Pieces: Of(lane, size, left), Count: Of(lane, size, left).Count()))
            .ToList();
        return lanes
            .Select(lane => lane.Pieces.Select((piece, number) => (Piece: piece, At: (number + 0.5) / lane.Count)))
            .Aggregate(Enumerable.Empty<(SeedPiece Piece, double At)>(), Merge)
            .Select(next => next.Piece);
    }

    /// <summary>Makes the documents.</summary>
    public IReadOnlyList<byte[]> Documents() => [.. Part.Documents(From, To)];

    private static IEnumerable<(SeedPiece Piece, double At)> Merge(
        IEnumerable<(SeedPiece Piece, double At)> one, IEnumerable<(SeedPiece Piece, double At)> other)
    {
        using var rest = other.GetEnumerator();
        var more = rest.MoveNext();
        foreach (var next in one)
        {
            for (; more && rest.Current.At < next.At; more = rest.MoveNext())
            {
                yield return rest.Current;
            }

            yield return next;
        }

        for (; more; more = rest.MoveNext())
        {
            yield return rest.Current;
        }
    }

    // Rows of tenants that stay; one row when all do, so that small tenants share a piece.
    private static IEnumerable<(long First, long Last)> Rows(int tenants, Func<int, bool> left)
    {
        var first = 0;
        for (var tenant = 0; tenant <= tenants; tenant++)
        {
            if (tenant == tenants || left(tenant))
            {
                if (tenant > first)
                {
                    yield return (first, tenant);
                }

                first = tenant + 1;
            }
        }
    }
}
