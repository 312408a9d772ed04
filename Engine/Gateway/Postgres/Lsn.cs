using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Platform.Gateway.Postgres;

/// <summary>
/// A place in PostgreSQL's write-ahead log, which is the same on every member that has the same history
/// (https://www.postgresql.org/docs/current/datatype-pg-lsn.html).
/// </summary>
/// <param name="Value">How many bytes of the log are before it.</param>
internal readonly record struct Lsn(ulong Value) : IComparable<Lsn>
{
    /// <summary>Before everything.</summary>
    public static readonly Lsn None;

    public static bool operator <(Lsn left, Lsn right) => left.Value < right.Value;

    public static bool operator >(Lsn left, Lsn right) => left.Value > right.Value;

    public static bool operator <=(Lsn left, Lsn right) => left.Value <= right.Value;

    public static bool operator >=(Lsn left, Lsn right) => left.Value >= right.Value;

    /// <summary>The later of the two.</summary>
    public static Lsn Max(Lsn left, Lsn right) => left > right ? left : right;

    /// <summary>Reads it as PostgreSQL writes it. Throws <see cref="FormatException"/> for anything else.</summary>
    public static Lsn Parse(string text) =>
        TryParse(text, out var lsn) ? lsn : throw new FormatException($"'{text}' is no place in PostgreSQL's log.");

    /// <summary>Reads it as PostgreSQL writes it, <c>0/16B3748</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Lsn lsn)
    {
        lsn = default;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 1 || !uint.TryParse(text.AsSpan(0, slash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !uint.TryParse(text.AsSpan(slash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return false;
        }

        lsn = new Lsn(((ulong)high << 32) | low);
        return true;
    }

    /// <inheritdoc />
    public int CompareTo(Lsn other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value >> 32:X}/{(uint)Value:X}");
}
