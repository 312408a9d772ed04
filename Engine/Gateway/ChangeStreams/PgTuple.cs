namespace Platform.Gateway.ChangeStreams;

/// <summary>Where the values of a row lie in the message that was read.</summary>
internal sealed class PgTuple
{
    private const int Unchanged = -2;
    private (int Offset, int Length)[] _values = new (int, int)[16];

    /// <summary>How many values there are; 0 when there is no row.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a value was left out because the update did not touch it, and it is stored apart.</summary>
    public bool IsUnchanged(int column) => _values[column].Length == Unchanged;

    /// <summary>The value of a column; empty when it is null, left out, or there is no such column.</summary>
    public ReadOnlySpan<byte> Value(ReadOnlySpan<byte> message, int column) =>
        column >= 0 && column < Count && _values[column].Length > 0 ? message.Slice(_values[column].Offset, _values[column].Length) : default;

    /// <summary>Whether a column has a value.</summary>
    public bool Has(int column) => column >= 0 && column < Count && _values[column].Length >= 0;

    /// <summary>Makes it no row.</summary>
    public void Clear() => Count = 0;

    /*  count i16 | n, u, or (t or b, length i32, bytes) ...  */
    /// <summary>Reads a row.</summary>
    public void Read(ref PgOutput.Reader reader)
    {
        Count = reader.Int16();
        if (Count > _values.Length)
        {
            _values = new (int, int)[Count];
        }

        for (var i = 0; i < Count; i++)
        {
            switch (reader.Byte())
            {
                case (byte)'n':
                    _values[i] = (0, -1);
                    break;
                case (byte)'u':
                    _values[i] = (0, Unchanged);
                    break;
                default:
                    var length = reader.Int32();
                    _values[i] = (reader.Offset, length);
                    reader.Take(length);
                    break;
            }
        }
    }
}
