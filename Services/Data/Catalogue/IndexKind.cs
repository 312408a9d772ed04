namespace Platform.Data.Catalogue;

/// <summary>How one field takes part in an index.</summary>
public enum IndexKind
{
    /// <summary>By value, smallest first.</summary>
    Ascending,

    /// <summary>By value, largest first.</summary>
    Descending,

    /// <summary>By the words in it.</summary>
    Text,

    /// <summary>By place on the earth.</summary>
    Sphere,

    /// <summary>By a hash of the value, which parts values that follow each other; for shard keys.</summary>
    Hashed,
}
