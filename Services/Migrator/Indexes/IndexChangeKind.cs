namespace Platform.Migrator.Indexes;

/// <summary>How an index of a database differs from the catalogue.</summary>
public enum IndexChangeKind
{
    /// <summary>The catalogue declares it and the database does not have it.</summary>
    Missing,

    /// <summary>It differs in what can be changed as it stands: its expiry, or that it is hidden.</summary>
    Adjusted,

    /// <summary>It differs in its keys or options, so that it has to be dropped and built again.</summary>
    Changed,

    /// <summary>The database has it under a name that the catalogue does not declare.</summary>
    Renamed,

    /// <summary>It stood in for one that was built under its name, and was left behind by a run that was stopped.</summary>
    Interim,

    /// <summary>The database has it and the catalogue does not declare it.</summary>
    Unknown,
}
