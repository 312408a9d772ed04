using System.ComponentModel.DataAnnotations;

namespace Platform.Seeder.Commands;

/// <summary>Settings of the seeder. Configuration section <c>Seeder</c>.</summary>
public sealed class SeederOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Seeder";

    /// <summary>How long to wait for the database. Default: 15 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan DatabaseTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The day at whose beginning (UTC) the seeded history ends, as <c>yyyy-MM-dd</c>, so that the data is the same on every day; null for the day on
    /// which a database is seeded. Default: null.
    /// </summary>
    public string? Until { get; set; }

    /// <summary>How many commands are under way at once. Default: 3.</summary>
    [Range(1, 64)]
    public int Writers { get; set; } = 3;
}
