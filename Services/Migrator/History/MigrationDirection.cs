namespace Platform.Migrator.History;

/// <summary>Which way a migration is run.</summary>
public enum MigrationDirection
{
    /// <summary>The change is made.</summary>
    Up,

    /// <summary>The change is taken back.</summary>
    Down,
}
