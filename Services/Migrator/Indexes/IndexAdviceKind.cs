namespace Platform.Migrator.Indexes;

/// <summary>What is advised.</summary>
public enum IndexAdviceKind
{
    /// <summary>Build an index that slow queries lack.</summary>
    Missing,

    /// <summary>Build an index that the catalogue declares and slow queries lack.</summary>
    NotBuilt,

    /// <summary>Name the tenant in queries that an index, which begins with it, would then serve.</summary>
    Unscoped,

    /// <summary>Drop an index that another one begins with.</summary>
    Redundant,

    /// <summary>Look at an index that no query used.</summary>
    Unused,

    /// <summary>A collection has nearly as many indexes as it may have.</summary>
    Crowded,
}
