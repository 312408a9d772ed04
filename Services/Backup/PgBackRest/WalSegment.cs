using System.Globalization;
using System.Text.RegularExpressions;

namespace Platform.Backup.PgBackRest;

/// <summary>A segment of PostgreSQL's log, by its name: eight hexadecimal digits each of its timeline, of a log and of the segment in it.</summary>
/// <param name="Timeline">The timeline, which each promotion makes anew.</param>
/// <param name="Number">Which segment it is, counted from the beginning; of the default size of 16 MiB.</param>
/// <remarks><see href="https://www.postgresql.org/docs/18/wal-internals.html"/></remarks>
internal readonly partial record struct WalSegment(uint Timeline, long Number)
{
    private const int SegmentsOfLog = 0x100;

    /// <summary>The segment that a name begins with; null when it is no whole segment's, as <c>.partial</c>, <c>.history</c> and <c>.backup</c>.</summary>
    public static WalSegment? Parse(string name)
    {
        if (Pattern().Match(name) is not { Success: true } match)
        {
            return null;
        }

        var (log, segment) = (Hex(match.Groups["log"]), Hex(match.Groups["segment"]));
        return segment < SegmentsOfLog ? new WalSegment(Hex(match.Groups["timeline"]), (long)log * SegmentsOfLog + segment) : null;

        static uint Hex(Group group) => uint.Parse(group.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    /// <inheritdoc />
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Timeline:X8}{Number / SegmentsOfLog:X8}{Number % SegmentsOfLog:X8}");

    [GeneratedRegex("^(?<timeline>[0-9A-F]{8})(?<log>[0-9A-F]{8})(?<segment>[0-9A-F]{8})(-[0-9a-f]{40}(\\.[a-z0-9]+)?)?$")]
    private static partial Regex Pattern();
}
