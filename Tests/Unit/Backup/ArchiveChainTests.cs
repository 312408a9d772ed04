using Platform.Backup.PgBackRest;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>How far the log in the archive goes, over promotions and gaps.</summary>
public sealed class ArchiveChainTests
{
    [Theory]
    [InlineData("000000010000000000000003", 1u, 3)]
    [InlineData("0000000A00000002000000FF-0123456789abcdef0123456789abcdef01234567.zst", 10u, 2 * 256 + 255)]
    public void A_name_says_which_segment_it_is(string name, uint timeline, long number)
    {
        Assert.Equal(new WalSegment(timeline, number), WalSegment.Parse(name));
        Assert.Equal(name[..24], new WalSegment(timeline, number).ToString());
    }

    [Theory]
    [InlineData("00000002.history")]
    [InlineData("000000010000000000000003.partial-0123456789abcdef0123456789abcdef01234567.zst")]
    [InlineData("000000010000000000000003.00000028.backup")]
    [InlineData("000000010000000000000103")]
    [InlineData("archive.info")]
    [InlineData("")]
    public void Other_names_are_of_no_segment(string name) => Assert.Null(WalSegment.Parse(name));

    [Fact]
    public void A_gap_is_named_and_what_follows_it_is_not_reached()
    {
        var chain = ArchiveChain.From(At(1, 3), Set("1:2-5 1:7-9"));
        Assert.Equal((At(1, 5), At(1, 6)), (chain!.Value.Last, chain.Value.Missing));
        Assert.Null(ArchiveChain.From(At(1, 6), Set("1:2-5 1:7-9")));
        Assert.Null(ArchiveChain.From(At(1, 6), Set("")));
    }

    [Fact]
    public void A_promotion_is_followed_and_what_the_old_primary_archived_beyond_it_is_not()
    {
        Assert.Equal((At(2, 9), null), Ends(ArchiveChain.From(At(1, 3), Set("1:3-6 2:7-9"))));
        Assert.Equal((At(2, 9), null), Ends(ArchiveChain.From(At(1, 3), Set("1:3-8 2:7-9"))));
        Assert.Equal((At(2, 7), At(2, 8)), Ends(ArchiveChain.From(At(1, 3), Set("1:3-8 2:7-7 2:9-9"))));
        Assert.Equal((At(1, 4), At(1, 5)), Ends(ArchiveChain.From(At(1, 3), Set("1:3-4 2:7-9"))));
        Assert.Equal((At(3, 9), null), Ends(ArchiveChain.From(At(1, 3), Set("1:3-5 2:5-7 3:7-9"))));
        Assert.Equal((At(2, 9), null), Ends(ArchiveChain.From(At(2, 8), Set("1:3-8 2:7-9"))));
        // Two promotions within a segment.
        Assert.Equal((At(3, 9), null), Ends(ArchiveChain.From(At(1, 3), Set("1:3-6 2:7-7 3:7-9"))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_history_that_is_whole_is_reached_to_its_end_and_one_that_lacks_a_segment_up_to_it(int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 500; run++)
        {
            // A history of promotions, and what each old primary has archived beyond its end.
            var (timeline, number, history, archived) = (1u, 3L, new List<WalSegment>(), new HashSet<WalSegment>());
            for (var part = random.Next(1, 5); part > 0; part--)
            {
                for (var length = random.Next(1, 6); length > 0; length--)
                {
                    history.Add(new(timeline, number++));
                }

                archived.UnionWith(Enumerable.Range(0, random.Next(0, 3)).Select(beyond => new WalSegment(timeline, number + beyond)));
                timeline++;
            }

            // Beyond the end of the last timeline nothing is.
            archived.RemoveWhere(segment => segment.Timeline == timeline - 1);
            archived.UnionWith(history);
            var whole = ArchiveChain.From(history[0], archived);
            Assert.Equal(history[^1], whole!.Value.Last);
            Assert.Null(whole.Value.Missing);

            // A segment in the middle of its timeline: the first one of a timeline says that there is one.
            var lost = random.Next(1, history.Count);
            if (lost < history.Count - 1 && history[lost].Timeline == history[lost - 1].Timeline)
            {
                archived.Remove(history[lost]);
                Assert.Equal((history[lost - 1], history[lost]), Ends(ArchiveChain.From(history[0], archived)));
            }
        }
    }

    private static (WalSegment?, WalSegment?) Ends(ArchiveChain? chain) => (chain?.Last, chain?.Missing);

    private static WalSegment At(uint timeline, long number) => new(timeline, number);

    // "1:3-5 2:5-9"
    private static HashSet<WalSegment> Set(string text) =>
    [
        .. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(part =>
        {
            var numbers = Array.ConvertAll(part.Split(':', '-'), int.Parse);
            return Enumerable.Range(numbers[1], numbers[2] - numbers[1] + 1).Select(number => At((uint)numbers[0], number));
        }),
    ];
}
