using System.Buffers.Binary;
using Platform.Gateway.Postgres;
using Platform.Gateway.Replication;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>Where a log that was received ends: the last record may not have arrived whole.</summary>
public sealed class WriteAheadLogTests : IDisposable
{
    private const int Page = 8192;
    private const int Segment = 16 * 1024 * 1024;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("platform-wal-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    // In one page.
    [InlineData(0x6000100, 100, 0x6000164, true)]
    [InlineData(0x6000100, 100, 0x6000163, false)]
    [InlineData(0x6000100, 100, 0x6000103, false)] // not even its length
    [InlineData(0x6000100, 100, 0x6000100, false)]
    // It goes on in the next page, behind the header of that one: 0x2000 - 0x1F00 = 256 bytes are in the first.
    [InlineData(0x6001F00, 300, 0x6002000, false)]
    [InlineData(0x6001F00, 300, 0x6002000 + 24 + 43, false)]
    [InlineData(0x6001F00, 300, 0x6002000 + 24 + 44, true)]
    [InlineData(0x6001F00, 256, 0x6002000, true)]
    // Only its length is in the first page.
    [InlineData(0x6001FF8, 32, 0x6002000, false)]
    [InlineData(0x6001FF8, 32, 0x6002000 + 24 + 24, true)]
    // Behind the header of a page, and of the first page of a file.
    [InlineData(0x6002000, 50, 0x6002000 + 24 + 50, true)]
    [InlineData(0x6002000, 50, 0x6002000 + 24 + 49, false)]
    [InlineData(0x6000000, 50, 0x6000000 + 40 + 50, true)]
    [InlineData(0x6000000, 50, 0x6000000 + 40 + 49, false)]
    // Over several pages and into the next file.
    [InlineData(0x6FFE100, 20_000, 0x7002000 + 24 + (20_000 - 0x1F00 - (8192 - 40)) - 1, false)]
    [InlineData(0x6FFE100, 20_000, 0x7002000 + 24 + (20_000 - 0x1F00 - (8192 - 40)), true)]
    public async Task A_record_is_there_when_all_of_it_is(long place, int length, long end, bool isThere)
    {
        Write(timeline: 1, (ulong)place, length);

        Assert.Equal(isThere, await HasRecordAsync((ulong)place, (ulong)end));
    }

    [Fact]
    public async Task The_latest_timeline_counts()
    {
        Write(timeline: 9, 0x6000100, 100);
        Write(timeline: 10, 0x6000100, 5000);

        Assert.False(await HasRecordAsync(0x6000100, 0x6001000));
        Assert.True(await HasRecordAsync(0x6000100, 0x6000100 + 5000));
    }

    [Fact]
    public async Task A_page_of_a_file_that_is_used_again_is_none()
    {
        Write(timeline: 1, 0x6000100, 100);
        File.Move(Path.Combine(_directory.FullName, "000000010000000000000006"), Path.Combine(_directory.FullName, "00000001000000010000000A"));

        Assert.False(await HasRecordAsync(0x10A000100, 0x10A001000));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(23)]
    public async Task What_is_too_short_is_no_record(int length)
    {
        Write(timeline: 1, 0x6000100, length);

        Assert.False(await HasRecordAsync(0x6000100, 0x6001000));
    }

    [Fact]
    public async Task Without_the_file_there_is_none() => Assert.False(await HasRecordAsync(0x6000100, 0x6001000));

    private ValueTask<bool> HasRecordAsync(ulong place, ulong end) =>
        new WriteAheadLog(new WalDirectory(_directory.FullName)).HasRecordAsync(new Lsn(place), new Lsn(end), TestContext.Current.CancellationToken);

    // A page with the beginning of a record.
    private void Write(int timeline, ulong place, int length)
    {
        var start = place % Segment == 0 ? place + 40 : place % Page == 0 ? place + 24 : place;
        var page = new byte[Page];
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(8), place - (place % Page));
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan((int)(start % Page)), length);
        using var file = File.OpenWrite(Path.Combine(_directory.FullName, $"{timeline:X8}{place >> 32:X8}{(place >> 24) & 0xFF:X8}"));
        file.Position = (long)(place % Segment / Page * Page);
        file.Write(page);
    }
}
