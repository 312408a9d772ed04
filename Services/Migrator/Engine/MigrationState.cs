namespace Platform.Migrator.Engine;

/// <summary>How a migration stands in a database.</summary>
public enum MigrationState
{
    /// <summary>Never begun, or taken back.</summary>
    Pending,

    /// <summary>Begun; when nobody is at work, it was interrupted half-way.</summary>
    Running,

    /// <summary>Done.</summary>
    Applied,

    /// <summary>Stopped by an error half-way.</summary>
    Failed,
}
