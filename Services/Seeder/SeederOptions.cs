namespace Platform.Seeder;

/// <summary>Settings of the seeder. Configuration section <c>Seeder</c>.</summary>
public sealed class SeederOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Seeder";

    /// <summary>The longest <see cref="DatabaseTimeout"/>.</summary>
    public static TimeSpan LongestDatabaseTimeout { get; } = TimeSpan.FromDays(1);

    /// <summary>How long to wait for the database. Default: 15 seconds; at most a day.</summary>
    public TimeSpan DatabaseTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How many commands are under way at once. Default: 3; between 1 and 64.</summary>
    public int Writers { get; set; } = 3;
}
