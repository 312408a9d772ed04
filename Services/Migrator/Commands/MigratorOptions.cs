using System.ComponentModel.DataAnnotations;

namespace Platform.Migrator.Commands;

/// <summary>Settings of the migrator. Configuration section <c>Migrator</c>.</summary>
public sealed class MigratorOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Migrator";

    /// <summary>The least that <see cref="MaxDocumentsPerSecond"/> may be when it is not 0: at less, a batch would take days.</summary>
    public const double LeastDocumentsPerSecond = 0.1;

    /// <summary>How long to wait for the database. Default: 60 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan DatabaseTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>After how long a migrator that died is taken over. Default: 15 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long to wait for another migrator that is at work. Default: 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan LeaseTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How many documents a second a migration may rewrite when it says nothing itself. Default: 0, as many as it can.</summary>
    [Range(0, 1e9)]
    public double MaxDocumentsPerSecond { get; set; }
}
