using Platform.Gateway.Postgres;

namespace Platform.Gateway.Replication;

/// <summary>How much a member has: of two members with different terms that of the later one counts, whatever else they have.</summary>
/// <param name="Term">The term of the last primary whose writes it has.</param>
/// <param name="End">How far its log goes.</param>
internal readonly record struct Position(long Term, Lsn End) : IComparable<Position>
{
    public static bool operator <(Position left, Position right) => left.CompareTo(right) < 0;

    public static bool operator >(Position left, Position right) => left.CompareTo(right) > 0;

    public static bool operator <=(Position left, Position right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Position left, Position right) => left.CompareTo(right) >= 0;

    /// <inheritdoc />
    public int CompareTo(Position other) => Term != other.Term ? Term.CompareTo(other.Term) : End.CompareTo(other.End);

    /// <inheritdoc />
    public override string ToString() => $"{End} of term {Term}";
}
