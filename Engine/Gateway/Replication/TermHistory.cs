using Platform.Gateway.Postgres;

namespace Platform.Gateway.Replication;

/// <summary>
/// The terms whose writes a primary has, each with the place in its log where it began. Everything before the beginning of a term is
/// older; what a member has of an earlier term beyond that place was never confirmed by a majority, and is not a part of this history.
/// </summary>
internal sealed class TermHistory(IEnumerable<(long Term, Lsn Start)> terms)
{
    private readonly SortedList<long, Lsn> _terms = new(terms.ToDictionary(t => t.Term, t => t.Start));

    /// <summary>What another member has to do to follow this history.</summary>
    /// <param name="followed">The last term whose writes it may have.</param>
    /// <param name="end">How far its log goes.</param>
    /// <param name="primary">How far the log of the primary goes.</param>
    public Kinship Judge(long followed, Lsn end, Lsn primary)
    {
        // Data from before there were elections belongs to the first term: whose cluster it is was compared.
        if (followed != 0 && !_terms.ContainsKey(followed))
        {
            // It has a primary's writes that nobody here has seen. Where they began nobody knows either, and the timeline may have the same
            // number as one of this history.
            return Kinship.Foreign;
        }

        var next = _terms.FirstOrDefault(t => t.Key > followed);
        var limit = next.Key == 0 ? primary : next.Value;
        return end <= limit ? Kinship.Behind : Kinship.Diverged;
    }
}
