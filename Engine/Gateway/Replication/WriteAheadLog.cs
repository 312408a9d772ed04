using System.Buffers.Binary;
using System.Globalization;
using Platform.Gateway.Postgres;

namespace Platform.Gateway.Replication;

/// <summary>
/// The files of the write-ahead log of this member's cluster, as far as an election asks for them: a primary sends its log as it grows,
/// so what a standby has received may end in the middle of a record, and what is not there whole can never be replayed.
/// </summary>
/// <param name="segments">Its files.</param>
internal sealed class WriteAheadLog(IWalSegments segments)
{
    // PostgreSQL's own numbers (src/include/access/xlog_internal.h, xlogrecord.h), with the sizes that initdb takes by itself.
    private const int PageSize = 8192;
    private const int SegmentSize = 16 * 1024 * 1024;
    private const ulong SegmentsOfNumber = (1UL << 32) / SegmentSize;
    private const ulong PageHeader = 24;
    private const ulong FirstPageHeader = 40;
    private const int AddressInPageHeader = 8;
    private const int RecordHeader = 24;

    /// <summary>Whether the record after a place is there whole.</summary>
    /// <param name="place">Where a record ends, and so the next one begins.</param>
    /// <param name="end">How far the log was received, and written to the disk.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<bool> HasRecordAsync(Lsn place, Lsn end, CancellationToken cancellationToken)
    {
        var start = place.Value % PageSize == 0 ? place.Value + HeaderAt(place.Value) : place.Value;
        // The length comes first, and never on two pages: records begin at multiples of eight.
        return start + sizeof(uint) <= end.Value && await LengthAtAsync(start, cancellationToken) is { } length && EndOf(start, length) <= end.Value;
    }

    private static ulong HeaderAt(ulong page) => page % SegmentSize == 0 ? FirstPageHeader : PageHeader;

    // The record goes on behind the header of each page that it reaches.
    private static ulong EndOf(ulong start, uint length)
    {
        var (place, left) = (start, (ulong)length);
        while (PageSize - (place % PageSize) is var room && left > room)
        {
            left -= room;
            place += room;
            place += HeaderAt(place);
        }

        return place + left;
    }

    // Null when there is nothing that can be a record.
    private async ValueTask<uint?> LengthAtAsync(ulong start, CancellationToken cancellationToken)
    {
        var page = start - (start % PageSize);
        var segment = start / SegmentSize;
        var name = string.Create(CultureInfo.InvariantCulture, $"{segment / SegmentsOfNumber:X8}{segment % SegmentsOfNumber:X8}");
        foreach (var bytes in await segments.ReadAsync(name, (int)(page % SegmentSize), PageSize, cancellationToken))
        {
            if (bytes.Length == PageSize && BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(AddressInPageHeader)) == page)
            {
                var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan((int)(start % PageSize)));
                return length >= RecordHeader ? length : null;
            }
        }

        return null;
    }
}
