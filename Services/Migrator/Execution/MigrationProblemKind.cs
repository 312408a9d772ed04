namespace Platform.Migrator.Execution;

/// <summary>In what way a database's history does not fit the program.</summary>
public enum MigrationProblemKind
{
    /// <summary>The source of an applied migration is not what was applied.</summary>
    Changed,

    /// <summary>The database has a migration that this program lacks.</summary>
    Unknown,

    /// <summary>The database has a migration with a higher number than any of this program: it was made by a newer one.</summary>
    Newer,

    /// <summary>A migration is not applied although a later one is.</summary>
    Gap,

    /// <summary>A baseline was interrupted: a migration is not recorded although a later one is, as part of it.</summary>
    InterruptedBaseline,

    /// <summary>A migration was applied before one with a smaller number.</summary>
    OutOfOrder,

    /// <summary>A migration was begun and neither finished nor resolved.</summary>
    HalfDone,
}
