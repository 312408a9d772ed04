using Platform.Gateway.ChangeStreams;
using Xunit;

namespace Platform.Tests.Unit.Gateway.ChangeStreams;

/// <summary>Which replication slot goes when there are too many.</summary>
public sealed class ChangeHistoryTests
{
    private const int Interval = 20;

    [Theory]
    [InlineData(new long[] { 60, 40, 20, 0 }, new int[0], 3)]     // apart as they should be: the past ends later
    [InlineData(new long[] { 63, 62, 61, 0 }, new int[0], 1)]     // 62 is between two that are near to each other
    [InlineData(new long[] { 64, 63, 62, 61, 0 }, new int[0], 2)] // the older of those, since what was just read is resumed most
    [InlineData(new long[] { 63, 62, 61, 0 }, new[] { 1 }, 3)]    // what a member that came back made necessary stays
    [InlineData(new long[] { 64, 63, 62, 61, 0 }, new[] { 2 }, 1)]
    [InlineData(new long[] { 5, 0 }, new int[0], 1)]
    public void The_slot_that_goes_is_the_one_that_shortens_the_past_least(long[] since, int[] madeForMember, int goes) =>
        Assert.Equal(goes, ChangeHistory.LeastUseful(since, madeForMember.Contains, Interval));
}
