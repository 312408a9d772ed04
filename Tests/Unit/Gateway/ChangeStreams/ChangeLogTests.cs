using Platform.Gateway.ChangeStreams;
using Xunit;

namespace Platform.Tests.Unit.Gateway.ChangeStreams;

public sealed class ChangeLogTests
{
    private static readonly WatchedCollection s_collection = new(1, "d", "c", default);
    private static readonly ChangeScope s_all = new("", "");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Nothing_is_seen_before_it_is_published_and_then_from_each_place()
    {
        var log = new ChangeLog(new ChangePosition(10, 0), 1 << 20);
        log.Append([Make(20, 0), Make(20, 1), Make(30, 0)]);
        Assert.Empty(Read(log, new(10, 0), out var end));
        Assert.Equal(10ul, end);

        log.Publish(before: 21, end: 21, forgets: true);
        Assert.Equal([(20ul, 0), (20ul, 1)], Read(log, new(10, 0), out end));
        Assert.Equal(21ul, end);
        Assert.Equal([(20ul, 1)], Read(log, new(20, 1), out _));

        log.Publish(before: 40, end: 40, forgets: true);
        Assert.Equal([(30ul, 0)], Read(log, new(20, 2), out _));
        Assert.Empty(Read(log, new(40, 0), out _));
    }

    [Fact]
    public void A_part_of_a_transaction_is_seen_while_the_rest_is_read_and_the_end_waits_for_it()
    {
        var log = new ChangeLog(new ChangePosition(10, 0), 1 << 20);
        log.Append([Make(20, 0)]);
        log.Publish(before: 21, end: 10, forgets: true);
        Assert.Equal([(20ul, 0)], Read(log, new(10, 0), out var end));
        Assert.Equal(10ul, end);
        log.Append([Make(20, 1)]);
        log.Publish(before: 30, end: 30, forgets: true);
        Assert.Equal([(20ul, 1)], Read(log, new(20, 1), out end));
        Assert.Equal(30ul, end);
    }

    [Fact]
    public void The_oldest_are_forgotten_and_who_looks_for_them_is_told()
    {
        var log = new ChangeLog(new ChangePosition(1, 0), capacity: 10_000);
        for (ulong commit = 2; commit < 1000; commit++)
        {
            log.Append([Make(commit, 0)]);
            log.Publish(commit + 1, commit + 1, forgets: true);
        }

        Assert.False(log.TryRead(new(1, 0), [], 10, 1 << 20, out _));
        Assert.NotEmpty(Read(log, log.Start, out _));
        Assert.InRange(log.Start.Commit, 940ul, 970ul);
        Assert.True(log.WhenChanged(new(1, 0), s_all, Cancel).IsCompleted);
    }

    [Fact]
    public async Task Who_waits_is_woken_by_what_is_watched_and_by_nothing_else()
    {
        var log = new ChangeLog(new ChangePosition(1, 0), 1 << 20);
        var other = log.WhenChanged(new(1, 0), new("d", "other"), Cancel);
        var mine = log.WhenChanged(new(1, 0), new("d", "c"), Cancel);
        log.Append([Make(2, 0)]);
        Assert.False(mine.IsCompleted);
        log.Publish(3, 3, forgets: true);
        await mine;
        Assert.False(other.IsCompleted);
        log.Fail(new IOException("gone"));
        await other;
        Assert.NotNull(log.Failure);
    }

    [Fact]
    public async Task The_writer_of_a_log_that_forgets_nothing_waits_for_its_reader()
    {
        var log = new ChangeLog(new ChangePosition(1, 0), capacity: 1_000);
        log.Append([.. Enumerable.Range(2, 20).Select(commit => Make((ulong)commit, 0))]);
        log.Publish(30, 30, forgets: false);
        var room = log.WhenRoom();
        Assert.False(room.IsCompleted);
        log.Release(new(10, 1));
        Assert.False(room.IsCompleted);
        log.Release(new(20, 1));
        await room;
        Assert.Equal([(21ul, 0)], Read(log, new(20, 1), out _));
    }

    [Fact]
    public void Tokens_are_read_as_they_were_written_and_in_the_order_of_their_places()
    {
        var before = "";
        foreach (var position in (ReadOnlySpan<ChangePosition>)[new(1, 0), new(1, 1), new(1, 300), new(0x1_0000_0000, 0), new(ulong.MaxValue, int.MaxValue)])
        {
            foreach (var invalidate in (ReadOnlySpan<bool>)[false, true])
            {
                var token = new ResumeToken(0xABCDEF01, position, invalidate);
                Assert.True(string.CompareOrdinal(before, token.Data) < 0);
                before = token.Data;
                var document = new Platform.Wire.Bson.BsonBuilder();
                token.AddTo(document, "t"u8);
                Assert.Equal(token, ResumeToken.Parse(new Platform.Wire.Bson.RawDocument(document.Finish()).First));
            }
        }
    }

    private static List<(ulong, int)> Read(ChangeLog log, ChangePosition from, out ulong? end)
    {
        var changes = new List<Change>();
        Assert.True(log.TryRead(from, changes, 100, 1 << 20, out end));
        return changes.ConvertAll(c => (c.Commit, c.Index));
    }

    private static Change Make(ulong commit, int index) =>
        new() { Commit = commit, Index = index, CommittedAt = (long)commit, Kind = ChangeKind.Insert, Collection = s_collection };
}
