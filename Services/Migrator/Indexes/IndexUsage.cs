namespace Platform.Migrator.Indexes;

/// <summary>How often queries used an index, over all members that were asked.</summary>
/// <param name="Operations">How often.</param>
/// <param name="Since">Since when all of them count (UTC): the latest start of a member's counter.</param>
public sealed record IndexUsage(long Operations, DateTime Since)
{
    /// <summary>The use seen by another member added.</summary>
    /// <param name="other">What the other member counted.</param>
    public IndexUsage Plus(IndexUsage other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new(Operations + other.Operations, Since > other.Since ? Since : other.Since);
    }
}
