namespace Platform.Migrator;

/// <summary>Settings of the migrator. Configuration section <c>Migrator</c>.</summary>
public sealed class MigratorOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Migrator";

    /// <summary>How long to wait for the database. Default: 60 seconds.</summary>
    public TimeSpan DatabaseTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>After how long a migrator that died is taken over. Default: 15 seconds; at least one second.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long to wait for another migrator that is at work. Default: 10 minutes.</summary>
    public TimeSpan LeaseTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How many documents a second a migration may rewrite when it says nothing itself. Default: 0, as many as it can.</summary>
    public double MaxDocumentsPerSecond { get; set; }
}
