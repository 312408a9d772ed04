namespace Platform.Migrator.Indexes;

/// <summary>What may be done to get rid of indexes.</summary>
/// <param name="Allowed">Whether indexes may be hidden and dropped at all.</param>
/// <param name="HiddenFor">How long an index has to be hidden before it is dropped.</param>
/// <param name="AtOnce">Whether an index may be dropped without being hidden first.</param>
internal sealed record IndexRemoval(bool Allowed, TimeSpan HiddenFor, bool AtOnce)
{
    /// <summary>Nothing is dropped.</summary>
    public static IndexRemoval None { get; } = new(false, TimeSpan.Zero, false);
}
