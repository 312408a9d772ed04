namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// A place between two changes. WAL has the same positions on every member, so a place found on one of them is one on all.
/// </summary>
/// <param name="Commit">Where in WAL the record begins that commits a transaction, or any place between two of them.</param>
/// <param name="Taken">How many changes of the transaction that is committed there lie before this place.</param>
internal readonly record struct ChangePosition(ulong Commit, int Taken) : IComparable<ChangePosition>
{
    /// <summary>The place right behind a change.</summary>
    public static ChangePosition After(Change change) => new(change.Commit, change.Index + 1);

    /// <inheritdoc />
    public int CompareTo(ChangePosition other) => Commit != other.Commit ? Commit.CompareTo(other.Commit) : Taken.CompareTo(other.Taken);

    /// <summary>Whether a change lies behind this place.</summary>
    public bool IsBefore(Change change) => Commit < change.Commit || (Commit == change.Commit && Taken <= change.Index);
}
