using System.Globalization;
using System.Text;
using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// What an update changed, found by comparing the document before with the document after. Where a part has changed so much that saying how
/// would take more than saying what it is now, the latter is said, as the server's own oplog does.
/// </summary>
internal sealed class UpdateDescription
{
    private readonly record struct Step(string Path, RawElement Value, long Size, (string Name, bool IsIndex)[]? Parts);

    private UpdateDescription(ReadOnlyMemory<byte> fields, ReadOnlyMemory<byte> ambiguous)
    {
        Document = fields;
        Disambiguated = ambiguous;
    }

    /// <summary><c>{updatedFields, removedFields, truncatedArrays}</c>.</summary>
    public ReadOnlyMemory<byte> Document { get; }

    /// <summary>The same with <c>disambiguatedPaths</c>.</summary>
    public ReadOnlyMemory<byte> Disambiguated { get; }

    /// <summary>Compares two documents.</summary>
    public static UpdateDescription Of(ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> after)
    {
        var comparison = new Comparison();
        comparison.Documents(new RawDocument(before), new RawDocument(after));
        return new UpdateDescription(comparison.Write(disambiguated: false), comparison.Write(disambiguated: true));
    }

    private sealed class Comparison
    {
        private readonly List<(string Name, bool IsIndex)> _path = [];
        private readonly List<Step> _updated = [];
        private readonly List<Step> _removed = [];
        private readonly List<Step> _truncated = [];
        private long _size;

        public void Documents(RawDocument before, RawDocument after)
        {
            var old = before.GetEnumerator();
            var inStep = true;
            foreach (var field in after)
            {
                // Mostly the fields are the same in the same order.
                RawElement was;
                bool known;
                if (inStep && old.MoveNext() && old.Current.Name.SequenceEqual(field.Name))
                {
                    (was, known) = (old.Current, true);
                }
                else
                {
                    inStep = false;
                    known = before.TryGet(field.Name, out was);
                }

                if (!known)
                {
                    Update(field.NameText, isIndex: false, field);
                }
                else if (!Same(was, field))
                {
                    Value(field.NameText, isIndex: false, was, field);
                }
            }

            foreach (var field in before)
            {
                if (!after.TryGet(field.Name, out _))
                {
                    _removed.Add(At(field.NameText, isIndex: false, default, field.Name.Length + 8));
                }
            }
        }

        public ReadOnlyMemory<byte> Write(bool disambiguated)
        {
            var document = new BsonBuilder(256 + (int)Math.Min(_size, 1 << 20));
            document.Start("updatedFields"u8);
            foreach (var step in _updated)
            {
                document.Add(Encoding.UTF8.GetBytes(step.Path), step.Value);
            }

            document.End().Start("removedFields"u8, BsonType.Array);
            for (var i = 0; i < _removed.Count; i++)
            {
                document.Add(Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)), _removed[i].Path);
            }

            document.End().Start("truncatedArrays"u8, BsonType.Array);
            for (var i = 0; i < _truncated.Count; i++)
            {
                document.Start(Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)))
                    .Add("field"u8, _truncated[i].Path).Add("newSize"u8, (int)_truncated[i].Size).End();
            }

            document.End();
            if (disambiguated)
            {
                document.Start("disambiguatedPaths"u8);
                foreach (var step in _updated.Concat(_removed).Concat(_truncated).Where(s => s.Parts is not null))
                {
                    document.Start(Encoding.UTF8.GetBytes(step.Path), BsonType.Array);
                    WriteParts(document, step.Parts!);
                    document.End();
                }

                document.End();
            }

            return document.Finish();
        }

        private static void WriteParts(BsonBuilder document, (string Name, bool IsIndex)[] parts)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                var place = Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture));
                if (parts[i].IsIndex)
                {
                    document.Add(place, int.Parse(parts[i].Name, CultureInfo.InvariantCulture));
                }
                else
                {
                    document.Add(place, parts[i].Name);
                }
            }
        }

        private static bool Same(in RawElement x, in RawElement y) => x.Type == y.Type && x.Value.Span.SequenceEqual(y.Value.Span);

        private void Value(string name, bool isIndex, in RawElement before, in RawElement after)
        {
            if (before.Type != after.Type || after.Type is not (BsonType.Document or BsonType.Array))
            {
                Update(name, isIndex, after);
                return;
            }

            var (updated, removed, truncated, size) = (_updated.Count, _removed.Count, _truncated.Count, _size);
            _path.Add((name, isIndex));
            if (after.Type == BsonType.Document)
            {
                Documents(before.Document, after.Document);
            }
            else
            {
                Arrays(before.Document, after.Document);
            }

            _path.RemoveAt(_path.Count - 1);
            // Fields that only changed their order leave no step, and none could tell of it.
            var steps = _updated.Count - updated + _removed.Count - removed + _truncated.Count - truncated;
            if (steps == 0 || _size - size >= after.Value.Length)
            {
                _updated.RemoveRange(updated, _updated.Count - updated);
                _removed.RemoveRange(removed, _removed.Count - removed);
                _truncated.RemoveRange(truncated, _truncated.Count - truncated);
                _size = size;
                Update(name, isIndex, after);
            }
        }

        private void Arrays(RawDocument before, RawDocument after)
        {
            var old = before.GetEnumerator();
            var index = 0;
            foreach (var element in after)
            {
                var name = index++.ToString(CultureInfo.InvariantCulture);
                if (!old.MoveNext())
                {
                    Update(name, isIndex: true, element);
                }
                else if (!Same(old.Current, element))
                {
                    Value(name, isIndex: true, old.Current, element);
                }
            }

            if (old.MoveNext())
            {
                var (name, isIndex) = _path[^1];
                _path.RemoveAt(_path.Count - 1);
                _truncated.Add(At(name, isIndex, default, size: 0) with { Size = index });
                _path.Add((name, isIndex));
            }
        }

        private void Update(string name, bool isIndex, in RawElement value) => _updated.Add(At(name, isIndex, value, value.Whole.Length));

        private Step At(string name, bool isIndex, in RawElement value, int size)
        {
            _path.Add((name, isIndex));
            var path = _path.Count == 1 ? name : string.Join('.', _path.Select(p => p.Name));
            var isAmbiguous = _path.Exists(p => !p.IsIndex && (p.Name.Contains('.', StringComparison.Ordinal) || IsNumber(p.Name)))
                && (_path.Count > 1 || name.Contains('.', StringComparison.Ordinal));
            var parts = isAmbiguous ? _path.ToArray() : null;
            _path.RemoveAt(_path.Count - 1);
            _size += path.Length + size;
            return new Step(path, value, 0, parts);
        }

        private static bool IsNumber(string name) => name.Length > 0 && name.All(char.IsAsciiDigit);
    }
}
