using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using MongoDB.Bson;

namespace Platform.Mongo.Connections;

/// <summary>Finds the collection that a command is about, without making a string for each command.</summary>
internal sealed class CommandNames
{
    private const int MaxNames = 1000;
    private const byte StringType = 2;

    // Only of these is the value behind the command's name a collection. Of others it may be a user or a key.
    private static readonly FrozenSet<string> s_withCollection = FrozenSet.Create(
        StringComparer.Ordinal,
        "aggregate", "collMod", "collStats", "count", "create", "createIndexes", "delete", "distinct", "drop", "dropIndexes", "find",
        "findAndModify", "insert", "killCursors", "listIndexes", "mapReduce", "update", "validate");

    private readonly ConcurrentDictionary<string, string> _names = new(new Utf8Comparer());
    private readonly ConcurrentDictionary<string, string>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;

    /// <summary>Knows no name yet.</summary>
    public CommandNames() => _byBytes = _names.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>Whether the value of a command's element is the name of a collection.</summary>
    public static bool IsCollection(string command, string element) =>
        element == command ? s_withCollection.Contains(command) : command == "getMore" && element == "collection";

    /// <summary>The collection of a command; null when it has none.</summary>
    public string? CollectionOf(string command, BsonDocument document)
    {
        if (s_withCollection.Contains(command))
        {
            return document is RawBsonDocument raw && TryReadFirst(raw, out var bytes) ? Name(bytes) : TextOf(document, command);
        }

        return command == "getMore" ? TextOf(document, "collection") : null;
    }

    private static string? TextOf(BsonDocument document, string element) =>
        document.TryGetValue(element, out var value) && value.IsString ? value.AsString : null;

    // A BSON document: its length (int32), then elements; an element: its type (one byte), its name up to a zero, its value; a
    // string: its length with the closing zero (int32), its bytes. https://bsonspec.org/spec.html
    private static bool TryReadFirst(RawBsonDocument document, out ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> bytes = document.Slice.AccessBackingBytes(0);
        value = default;
        if (bytes.Length < 5 || bytes[4] != StringType)
        {
            return false;
        }

        bytes = bytes[5..];
        var end = bytes.IndexOf((byte)0);
        if (end < 0 || bytes.Length < end + 5)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[(end + 1)..]) - 1;
        bytes = bytes[(end + 5)..];
        if (length <= 0 || bytes.Length < length)
        {
            return false;
        }

        value = bytes[..length];
        return true;
    }

    private string Name(ReadOnlySpan<byte> bytes)
    {
        if (_byBytes.TryGetValue(bytes, out var name))
        {
            return name;
        }

        name = Encoding.UTF8.GetString(bytes);
        // Whoever makes up names without end gets a string for each, and the table stays small.
        return _names.Count < MaxNames ? _names.GetOrAdd(name, name) : name;
    }

    private sealed class Utf8Comparer : IEqualityComparer<string>, IAlternateEqualityComparer<ReadOnlySpan<byte>, string>
    {
        private const int LongestOnStack = 256;

        public string Create(ReadOnlySpan<byte> alternate) => Encoding.UTF8.GetString(alternate);

        public bool Equals(string? x, string? y) => string.Equals(x, y, StringComparison.Ordinal);

        public bool Equals(ReadOnlySpan<byte> alternate, string other) =>
            Encoding.UTF8.GetMaxByteCount(other.Length) <= LongestOnStack
                ? alternate.SequenceEqual(Write(other, stackalloc byte[LongestOnStack]))
                : alternate.SequenceEqual(Encoding.UTF8.GetBytes(other));

        public int GetHashCode([DisallowNull] string obj) =>
            Encoding.UTF8.GetMaxByteCount(obj.Length) <= LongestOnStack
                ? GetHashCode(Write(obj, stackalloc byte[LongestOnStack]))
                : GetHashCode(Encoding.UTF8.GetBytes(obj));

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        private static ReadOnlySpan<byte> Write(string text, Span<byte> buffer) => buffer[..Encoding.UTF8.GetBytes(text, buffer)];
    }
}
