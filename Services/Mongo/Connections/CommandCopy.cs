using System.Text;
using MongoDB.Bson;

namespace Platform.Mongo.Connections;

/// <summary>
/// The statement of a command in flight. The driver's document ends with the event, and only afterwards is it known whether
/// the command was slow: so its bytes are copied into a buffer that is used again and again.
/// </summary>
internal sealed class CommandCopy
{
    private const int Longest = 4096;

    private byte[] _bytes = [];
    private int _length;
    private string? _payload;
    private int _payloadCount;

    /// <summary>Keeps a command.</summary>
    public void Keep(BsonDocument command)
    {
        _length = 0;
        _payload = null;
        if (command is RawBsonDocument raw)
        {
            Copy(raw);
            return;
        }

        // Writes: the documents travel beside the command. One of them stands for all.
        foreach (var element in command)
        {
            if (element.Value is BsonArray { Count: > 0 } items)
            {
                _payload = element.Name;
                _payloadCount = items.Count;
                if (items[0] is RawBsonDocument first)
                {
                    Copy(first);
                }

                return;
            }
        }
    }

    /// <summary>The shape of what was kept: names of fields, and no values.</summary>
    /// <param name="command">The command's name.</param>
    /// <param name="collection">Its collection.</param>
    public string Describe(string command, string? collection)
    {
        if (_payload is null)
        {
            return _length == 0 ? CommandShape.Unknown : Read(document => CommandShape.Of(command, document));
        }

        var shape = new StringBuilder("{ ").Append(command).Append(": ").Append(collection ?? "?").Append(", ").Append(_payload)
            .Append(": [").Append(_length == 0 ? CommandShape.Unknown : Read(document => CommandShape.Of("", document)));
        if (_payloadCount > 1)
        {
            shape.Append(" × ").Append(_payloadCount);
        }

        return shape.Append("] }").ToString();
    }

    private string Read(Func<BsonDocument, string> describe)
    {
        using var document = new RawBsonDocument(_bytes.AsSpan(0, _length).ToArray());
        return describe(document);
    }

    private void Copy(RawBsonDocument document)
    {
        var length = document.Slice.Length;
        if (length > Longest)
        {
            return;
        }

        if (_bytes.Length < length)
        {
            // A power of two, so that a buffer settles after a few commands.
            _bytes = new byte[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, 256))];
        }

        document.Slice.GetBytes(0, _bytes, 0, length);
        _length = length;
    }
}
