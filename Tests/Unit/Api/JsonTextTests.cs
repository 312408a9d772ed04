using System.Text;
using System.Text.Json;
using Platform.Api.Problems;
using Platform.Api.Requests;
using Xunit;

namespace Platform.Tests.Unit.Api;

/// <summary>Generated bodies against the framework's own reader, which finds the same faults, each where somebody asks for the text.</summary>
public sealed class JsonTextTests
{
    private const int Bodies = 20_000;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = JsonText.MaxDepth, AllowDuplicateProperties = false };

    [Fact]
    public void What_is_sound_can_be_read_to_the_last_text_and_nothing_else_can()
    {
        var random = new Random(7);
        var (sound, unsound) = (0, 0);
        for (var number = 0; number < Bodies; number++)
        {
            var body = Body(random);

            var errors = new RequestErrors();
            var isSound = JsonText.IsSound(body, errors);

            Assert.True(isSound == CanBeRead(body), $"Body {number}: {Encoding.Latin1.GetString(body)}");
            Assert.Equal(isSound, errors.None);
            (sound, unsound) = isSound ? (sound + 1, unsound) : (sound, unsound + 1);
        }

        Assert.InRange(sound, Bodies / 10, Bodies);
        Assert.InRange(unsound, Bodies / 10, Bodies);
    }

    private static bool CanBeRead(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            Walk(document.RootElement);
            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static void Walk(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    _ = member.Name;
                    Walk(member.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Walk(item);
                }

                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
        }
    }

    private static byte[] Body(Random random)
    {
        var text = new StringBuilder();
        Write(text, random, depth: 0);
        List<byte> bytes = [.. Encoding.UTF8.GetBytes(text.ToString())];
        switch (random.Next(8))
        {
            case 0:
                bytes[random.Next(bytes.Count)] = (byte)random.Next(256);
                break;
            case 1:
                bytes.RemoveRange(0, random.Next(bytes.Count));
                break;
            case 2:
                bytes.InsertRange(random.Next(bytes.Count + 1), FuzzWords.NoUtf8[random.Next(FuzzWords.NoUtf8.Length)]);
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count + 1), Encoding.ASCII.GetBytes(Half(random)));
                break;
        }

        return [.. bytes];
    }

    private static void Write(StringBuilder text, Random random, int depth)
    {
        switch (depth > 17 ? 3 : random.Next(depth == 0 ? 2 : 7))
        {
            case 0:
                text.Append('{');
                for (var i = random.Next(5); i > 0; i--)
                {
                    text.Append(Text(random)).Append(':');
                    Write(text, random, depth + 1);
                    text.Append(i == 1 ? "" : ",\n");
                }

                text.Append('}');
                break;
            case 1:
                text.Append('[');
                for (var i = random.Next(4); i > 0; i--)
                {
                    Write(text, random, depth + 1);
                    text.Append(i == 1 ? "" : ", ");
                }

                text.Append(']');
                break;
            case 2 or 3:
                text.Append(random.Next(-5, 100_000));
                break;
            default:
                text.Append(Text(random));
                break;
        }
    }

    // Few different ones, so that some are there twice, spelled alike and otherwise.
    private static string Text(Random random) => random.Next(14) switch
    {
        0 => "\"a\"",
        1 => "\"\\u0061\"",
        2 => "\"\\ud83d\\ude42\"",
        3 => "\"🙂\"",
        4 => "\"\\\\ud800\"",
        5 => "\"\"",
        6 when random.Next(4) == 0 => $"\"{Half(random)}\"",
        _ => JsonSerializer.Serialize(FuzzWords.Random(random)),
    };

    private static string Half(Random random) => random.Next(5) switch
    {
        0 => "\\ud800",
        1 => "\\udfff",
        2 => "\\udc00\\ud800",
        3 => "\\ud83d\\n\\ude42",
        _ => "\\uD83D🙂",
    };
}
