using System.ComponentModel.DataAnnotations;

namespace Platform.Api.Migrations;

/// <summary>Whether the API is ready only when the database has the migrations that it was built with. Configuration section <c>MigrationCheck</c>.</summary>
public sealed class MigrationCheckOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "MigrationCheck";

    /// <summary>Whether the history is looked at. Default: true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Where the history is: <see cref="CollectionNames.Migrations"/>, or the view <see cref="CollectionNames.MigrationStates"/> of it for a user who may
    /// read no more than that. Default: the former.
    /// </summary>
    [Required]
    public string Collection { get; set; } = CollectionNames.Migrations;

    /// <summary>How long the answer that nothing is pending holds, before the history is read again. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan CacheDuration { get; set; } = TimeSpan.FromSeconds(30);
}
