namespace Platform.Migrator.History;

/// <summary>Where a migration's change stands in a database, whoever is or was at work on it.</summary>
public enum MigrationStanding
{
    /// <summary>Nothing of it is there.</summary>
    Pending,

    /// <summary>Some of it may be there. When nobody is at work, the next run or a person has to act.</summary>
    HalfDone,

    /// <summary>All of it is there.</summary>
    Applied,
}
