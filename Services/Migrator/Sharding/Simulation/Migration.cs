namespace Platform.Migrator.Sharding.Simulation;

/// <summary>One range that moves from one shard to another.</summary>
/// <param name="Range">The number of the range.</param>
/// <param name="From">The shard that has it.</param>
/// <param name="To">The shard that gets it.</param>
/// <param name="Why">Why it moves.</param>
internal readonly record struct Migration(int Range, int From, int To, MigrationCause Why);

/// <summary>Why a range moves.</summary>
internal enum MigrationCause
{
    /// <summary>Its shard is being drained.</summary>
    Draining,

    /// <summary>It is on a shard that does not belong to its zone.</summary>
    Zone,

    /// <summary>Its shard has much more of the collection than another.</summary>
    Balance,
}
