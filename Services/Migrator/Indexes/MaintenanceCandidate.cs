namespace Platform.Migrator.Indexes;

/// <summary>What is to be done with an index.</summary>
internal enum MaintenanceCandidate
{
    /// <summary>Nothing.</summary>
    Keep,

    /// <summary>Hide it, to see whether anybody misses it.</summary>
    Hide,

    /// <summary>Drop it: it has been hidden.</summary>
    Drop,

    /// <summary>Build it again: it takes more than it should.</summary>
    Rebuild,
}
