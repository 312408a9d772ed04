using System.Globalization;

namespace Platform.Backup.Policy;

/// <summary>Moments, as people read them and as clocks tell them.</summary>
internal static class Moments
{
    /// <summary>How far apart clocks may be: those of one machine do not differ, and this is what may pass between two looks at them.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    /// <summary>For example <c>2026-11-29T20:15:00Z</c>.</summary>
    public static string Text(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
