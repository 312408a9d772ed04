using Platform.Gateway.Postgres;
using Platform.Gateway.Replication;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

public sealed class TermHistoryTests
{
    // Three terms, of which the last is the primary's own, and 50 bytes of it.
    private static readonly TermHistory s_history = new([(2, new Lsn(100)), (5, new Lsn(200)), (6, new Lsn(300))]);
    private static readonly Lsn s_end = new(350);

    [Theory]
    [InlineData(6, 310)]
    [InlineData(6, 350)]
    [InlineData(5, 300)] // exactly where the next term began
    [InlineData(5, 250)]
    [InlineData(2, 200)]
    [InlineData(0, 100)] // data from before the first election
    public void A_log_that_ends_before_the_next_term_began_is_continued(long followed, ulong end) =>
        Assert.Equal(Kinship.Behind, s_history.Judge(followed, new Lsn(end), s_end));

    [Theory]
    [InlineData(5, 301)]
    [InlineData(2, 201)]
    [InlineData(0, 101)]
    [InlineData(6, 351)]
    public void What_goes_on_beyond_that_is_taken_back(long followed, ulong end) =>
        Assert.Equal(Kinship.Diverged, s_history.Judge(followed, new Lsn(end), s_end));

    [Theory]
    [InlineData(3, 150)] // elected between the first and the second, and seen by nobody else
    [InlineData(7, 120)]
    public void Writes_of_a_primary_that_nobody_here_has_seen_make_it_foreign(long followed, ulong end) =>
        Assert.Equal(Kinship.Foreign, s_history.Judge(followed, new Lsn(end), s_end));

    [Theory]
    [InlineData(1, 500, 2, 100, -1)] // a later term counts for more than a longer log
    [InlineData(2, 100, 2, 101, -1)]
    [InlineData(2, 100, 2, 100, 0)]
    public void A_position_is_first_the_term_then_the_place(long term, ulong end, long otherTerm, ulong otherEnd, int order) =>
        Assert.Equal(order, Math.Sign(new Position(term, new Lsn(end)).CompareTo(new Position(otherTerm, new Lsn(otherEnd)))));

    [Theory]
    [InlineData("0/16B3748", 0x16B3748)]
    [InlineData("1A/FF", 0x1A_0000_00FF)]
    public void A_place_reads_as_PostgreSQL_writes_it(string text, ulong value)
    {
        Assert.Equal(value, Lsn.Parse(text).Value);
        Assert.Equal(text, new Lsn(value).ToString());
        Assert.False(Lsn.TryParse("16B3748", out _));
    }
}
