using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Platform.Api.Problems;
using Platform.Data.Rules;

namespace Platform.Api.Requests;

/// <summary>
/// Looks through the text of a body once, before anything is read from it, and says where it is no JSON of Unicode
/// texts: a parser finds some of it only when a text is asked for, and then as a defect of the program.
/// </summary>
/// <remarks>
/// Stricter than the grammar in what <see href="https://www.rfc-editor.org/rfc/rfc8259"/> leaves to receivers and <see
/// href="https://www.rfc-editor.org/rfc/rfc7493"/> forbids to senders: bytes that are no UTF-8, halves of surrogate
/// pairs, and a member that occurs twice.
/// </remarks>
internal static class JsonText
{
    /// <summary>How many lists and objects may be inside each other.</summary>
    public const int MaxDepth = 16;

    /// <summary>Says what is wrong, if anything.</summary>
    /// <param name="json">The text.</param>
    /// <param name="errors">Takes the first wrong place.</param>
    /// <returns>Whether nothing is wrong.</returns>
    public static bool IsSound(ReadOnlySpan<byte> json, RequestErrors errors)
    {
        if (FirstInvalidByte(json) is { } at)
        {
            var place = PlaceOf(json[..at]);
            errors.Body("", ErrorCodes.Json, $"Must be a JSON object in UTF-8; the bytes are not UTF-8 at {place}.");
            return false;
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        var path = new Stack<Level>();
        try
        {
            while (reader.Read())
            {
                if (!IsSound(ref reader, json, path, errors))
                {
                    return false;
                }
            }

            return true;
        }
        catch (JsonException exception)
        {
            var place = PlaceOf(exception.LineNumber ?? 0, exception.BytePositionInLine ?? 0);
            errors.Body("", ErrorCodes.Json, $"Must be a JSON object; the text is wrong at {place}.");
            return false;
        }
    }

    private static bool IsSound(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Stack<Level> path, RequestErrors errors)
    {
        if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
        {
            path.Pop();
            return true;
        }

        if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String && reader.ValueIsEscaped
            && HasHalfPair(reader.ValueSpan))
        {
            var place = PlaceOf(json[..(int)reader.TokenStartIndex]);
            errors.Body(
                "",
                ErrorCodes.Json,
                $"Must be a JSON object of Unicode texts; the text at {place} has one half of a surrogate pair.");
            return false;
        }

        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            var level = path.Peek();
            level.Step = reader.GetString()!;
            if (level.Members!.Add(level.Step))
            {
                return true;
            }

            errors.Body(PointerOf(path), ErrorCodes.Json, "Must not be there twice.");
            return false;
        }

        if (path.TryPeek(out var list) && list.Members is null)
        {
            list.Index++;
        }

        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            path.Push(new Level
            {
                Members = reader.TokenType == JsonTokenType.StartObject ? new(StringComparer.Ordinal) : null,
            });
        }

        return true;
    }

    private static string PointerOf(Stack<Level> path) => path.Reverse().Aggregate(
        "", (pointer, level) => level.Members is null
            ? JsonPointer.Item(pointer, level.Index)
            : JsonPointer.Member(pointer, level.Step));

    private static int? FirstInvalidByte(ReadOnlySpan<byte> json)
    {
        if (Utf8.IsValid(json))
        {
            return null;
        }

        // As many UTF-16 units as bytes at most.
        var text = ArrayPool<char>.Shared.Rent(json.Length);
        try
        {
            Utf8.ToUtf16(json, text, out var read, out _, replaceInvalidSequences: false);
            return read;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(text);
        }
    }

    // The grammar has been checked: a backslash is followed by what it stands for, and a u by four digits.
    private static bool HasHalfPair(ReadOnlySpan<byte> escaped)
    {
        var expected = false;
        for (var i = 0; i < escaped.Length; i++)
        {
            var unit = '\0';
            if (escaped[i] == '\\')
            {
                i++;
                if (escaped[i] == 'u')
                {
                    unit = (char)ushort.Parse(
                        escaped.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                    i += 4;
                }
            }

            if (char.IsLowSurrogate(unit) != expected)
            {
                return true;
            }

            expected = char.IsHighSurrogate(unit);
        }

        return expected;
    }

    private static string PlaceOf(ReadOnlySpan<byte> before) =>
        PlaceOf(before.Count((byte)'\n'), before.Length - 1 - before.LastIndexOf((byte)'\n'));

    private static string PlaceOf(long line, long position) =>
        string.Create(CultureInfo.InvariantCulture, $"line {line + 1}, byte {position + 1}");

    // An object and the member that is read, or a list and the entry.
    private sealed class Level
    {
        public HashSet<string>? Members { get; init; }

        public string Step { get; set; } = "";

        public int Index { get; set; } = -1;
    }
}
