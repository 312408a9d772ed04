namespace Platform.Migrator.History;

/// <summary>How far the latest attempt at a migration came; <see cref="MigrationStanding"/> says what that means for the database.</summary>
public enum MigrationState
{
    /// <summary>There was none, it refused, or it took the change back.</summary>
    Pending,

    /// <summary>Begun; when nobody is at work, it was interrupted.</summary>
    Running,

    /// <summary>The change is made.</summary>
    Applied,

    /// <summary>Stopped by an error.</summary>
    Failed,
}
