using System.Globalization;
using System.Net;
using System.Text.Json;
using Platform.Audit;

namespace Platform.AuditTool;

/// <summary>Which records are asked for; what is null asks for nothing.</summary>
internal sealed record AuditFilter
{
    /// <summary>Who was logged in, or was to be, or whom it is about.</summary>
    public string? User { get; init; }

    /// <summary>Kinds of events.</summary>
    public IReadOnlyCollection<string> Types { get; init; } = [];

    /// <summary>The first moment.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The moment after the last.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>From where.</summary>
    public IPNetwork? Remote { get; init; }

    /// <summary>Only what was refused or failed.</summary>
    public bool Failed { get; init; }

    /// <summary>Whether a record is asked for.</summary>
    public bool Asks(AuditRecord record) =>
        (!Failed || record.Result != 0)
        && (Types.Count == 0 || Types.Contains(record.Type, StringComparer.OrdinalIgnoreCase))
        && (Since is not { } since || record.At >= since)
        && (Until is not { } until || record.At < until)
        && (Remote is not { } network || (record.Remote is { } remote && network.Contains(remote.Address)))
        && (User is null || record.Users.Any(user => user.User == User)
            || (record.Param.TryGetProperty("user", out var about) && about.ValueKind == JsonValueKind.String && about.GetString() == User));

    /// <summary>
    /// A moment: <c>2026-11-30T08:00:00Z</c>, a day, or how long ago, as <c>90s</c>, <c>30m</c>, <c>2h</c> or <c>7d</c>; null for anything else.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="now">The time.</param>
    public static DateTimeOffset? Moment(string text, DateTimeOffset now)
    {
        if (text.Length > 1 && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            && count <= 36_500)
        {
            switch (text[^1])
            {
                case 's':
                    return now - TimeSpan.FromSeconds(count);
                case 'm':
                    return now - TimeSpan.FromMinutes(count);
                case 'h':
                    return now - TimeSpan.FromHours(count);
                case 'd':
                    return now - TimeSpan.FromDays(count);
            }
        }

        return text.Length >= 10 && DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment)
            ? moment
            : null;
    }

    /// <summary>An address, or a range in CIDR form; null for anything else.</summary>
    public static IPNetwork? Network(string text) => AddressRange.TryParse(text, out var range) ? range : null;
}
