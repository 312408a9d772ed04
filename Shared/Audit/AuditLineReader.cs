namespace Platform.Audit;

/// <summary>Reads the lines of a file one after the other, and goes on where it stopped when the file has grown. Its memory is bounded.</summary>
internal sealed class AuditLineReader(string path) : IDisposable
{
    /// <summary>The longest line in bytes; longer ones are passed over. The log's own are shorter by far.</summary>
    public const int Longest = 256 * 1024;

    private readonly FileStream _file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    private readonly byte[] _buffer = new byte[Longest];
    private int _start;
    private int _end;
    private long _passedOver;

    /// <summary>The path of the file.</summary>
    public string Path => path;

    /// <summary>The number of the last line that was read, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>How many bytes of the file were read up to the end of the last line.</summary>
    public long Position { get; private set; }

    /// <summary>How many bytes follow that have no end of a line; after <see cref="TryRead"/> returned false.</summary>
    public long Rest => _passedOver + _end - _start;

    /// <summary>Reads a line that has an end. Returns false at the end of the file.</summary>
    /// <param name="line">The line without its end, valid until the next call; empty when it is too long.</param>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        while (true)
        {
            var length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (length >= 0)
            {
                line = _passedOver > 0 ? [] : _buffer.AsSpan(_start, length);
                Number++;
                Position += _passedOver + length + 1;
                (_passedOver, _start) = (0, _start + length + 1);
                return true;
            }

            if (_passedOver > 0 || _end - _start == _buffer.Length)
            {
                _passedOver += _end - _start;
                (_start, _end) = (0, 0);
            }
            else if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            var read = _file.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0)
            {
                line = default;
                return false;
            }

            _end += read;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();
}
