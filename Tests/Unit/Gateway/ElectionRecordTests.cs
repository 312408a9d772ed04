using Platform.Gateway.Postgres;
using Platform.Gateway.Replication;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

public sealed class ElectionRecordTests
{
    [Theory]
    [InlineData(6, 2, true)] // a later term
    [InlineData(5, 3, true)] // the vote that it has
    [InlineData(5, 2, false)] // it has voted for another one
    [InlineData(4, 3, false)]
    public void A_member_has_one_vote_in_a_term(long term, int candidate, bool mayVote) =>
        Assert.Equal(mayVote, new ElectionRecord(5, 3, 5).MayVote(term, candidate));

    [Fact]
    public void A_term_that_was_only_heard_of_leaves_the_vote_free() => Assert.True(new ElectionRecord(5, 0, 4).MayVote(5, 2));

    [Fact]
    public void What_was_written_is_read_again()
    {
        var directory = Directory.CreateTempSubdirectory("election-");
        try
        {
            Assert.Equal(new ElectionRecord(0, 0, 0), ElectionRecord.Read(directory.FullName));
            var record = new ElectionRecord(7, 2, 6, 5, 0x1_0000_0010);
            record.Write(directory.FullName);
            Assert.Equal(record, ElectionRecord.Read(directory.FullName));
            Assert.Equal(new Position(5, Lsn.Parse("1/10")), record.Owed);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
