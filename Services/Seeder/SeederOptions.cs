namespace Platform.Seeder;

/// <summary>Settings of the seeder. Configuration section <c>Seeder</c>.</summary>
public sealed class SeederOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Seeder";

    /// <summary>How long to wait for the database. Default: 60 seconds.</summary>
    public TimeSpan DatabaseTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How many documents are written by one command. Default: 1,000; between 1 and 100,000.</summary>
    public int BatchSize { get; set; } = 1000;

    /// <summary>How many commands are under way at once. Default: 3; between 1 and 64.</summary>
    public int Writers { get; set; } = 3;
}
