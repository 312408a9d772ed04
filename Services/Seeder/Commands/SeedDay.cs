using System.Globalization;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Commands;

/// <summary>Reads the day that a history ends with.</summary>
internal static class SeedDay
{
    /// <summary>What a text should be that is no such day; null when it is one.</summary>
    /// <param name="text">The text.</param>
    public static string? Mistake(string text) =>
        !TryParse(text, out var day) ? "a day such as 2026-01-01"
        : day < SeedSize.EarliestUntil || day > SeedSize.LatestUntil
            ? string.Create(CultureInfo.InvariantCulture, $"a day from {SeedSize.EarliestUntil:yyyy-MM-dd} to {SeedSize.LatestUntil:yyyy-MM-dd}")
        : null;

    /// <summary>The day that a text is.</summary>
    /// <param name="text">The text, in which there is no mistake.</param>
    public static DateOnly Parse(string text) => TryParse(text, out var day) ? day : throw new FormatException($"'{text}' is no day.");

    private static bool TryParse(string text, out DateOnly day) =>
        DateOnly.TryParseExact(text, SeedSize.DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
}
