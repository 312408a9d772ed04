namespace Platform.Migrator.Execution;

/// <summary>How a half-done migration stands, as a person found it.</summary>
public enum MigrationResolution
{
    /// <summary>Its change is complete in the database.</summary>
    Applied,

    /// <summary>Its change is not in the database.</summary>
    Pending,

    /// <summary>It stays half-done and may go on where it stopped, the way it was going: steps that are done stay done.</summary>
    Resume,
}
