using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Wire.Messages;

/// <summary>A kind-1 section: documents one after the other. They were checked when the message was read.</summary>
/// <param name="Name">The command's field that the documents belong to.</param>
/// <param name="Documents">The concatenated documents.</param>
/// <param name="Count">How many there are.</param>
public readonly record struct DocumentSequence(string Name, ReadOnlyMemory<byte> Documents, int Count)
{
    /// <summary>Walks the documents in order.</summary>
    public Enumerator GetEnumerator() => new(Documents);

    /// <summary>The documents as an array of object trees.</summary>
    public BsonArray ToTree()
    {
        var array = new BsonArray(Count);
        foreach (var document in this)
        {
            array.Add(document.ToTree());
        }

        return array;
    }

    /// <summary>Walks the documents of a sequence.</summary>
    public struct Enumerator(ReadOnlyMemory<byte> documents)
    {
        private ReadOnlyMemory<byte> _rest = documents;

        /// <summary>The document the walk stands on.</summary>
        public RawDocument Current { get; private set; }

        /// <summary>Moves to the next document.</summary>
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(_rest.Span);
            Current = new RawDocument(_rest[..length]);
            _rest = _rest[length..];
            return true;
        }
    }
}
