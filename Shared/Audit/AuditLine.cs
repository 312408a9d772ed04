using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Platform.Audit;

/// <summary>
/// A line of the log: an event as one JSON object of printable ASCII, which ends with its number in the log, the hash of the line before and its own:
/// <c>{"atype":...,"result":0,"seq":7,"prev":"64 digits","hash":"64 digits"}</c>. The hash is HMAC-SHA-256 over everything before <c>,"hash"</c>, so it covers
/// the whole log up to the line.
/// </summary>
/// <param name="Number">The line's number in the log, from 1.</param>
/// <param name="Previous">The hash of the line before; zeros for the first.</param>
/// <param name="Hash">Its own hash.</param>
internal sealed record AuditLine(long Number, string Previous, string Hash)
{
    /// <summary>The hash before the first line.</summary>
    public static readonly string Origin = new('0', HashLength);

    // What a client can make longer, ends somewhere: as a whole a line stays below half of what is read as one.
    private const int LongestText = 256;
    private const int LongestPart = 8 * 1024;
    private const int DeepestPart = 8;
    private const int HashLength = 64;

    /// <summary>Appends the line of an event, with its end.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="what">The event.</param>
    /// <param name="number">The line's number.</param>
    /// <param name="previous">The hash of the line before.</param>
    /// <param name="key">What it is signed with.</param>
    public static AuditLine Append(ArrayBufferWriter<byte> output, AuditEvent what, long number, string previous, byte[] key)
    {
        var start = output.WrittenCount;
        // The default encoder writes everything beyond ASCII, and every control character, as an escape.
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteString("atype"u8, Short(what.Type));
            json.WriteStartObject("ts"u8);
            WriteAsIs(json, "$date", what.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fff+00:00", CultureInfo.InvariantCulture));
            json.WriteEndObject();
            if (what.Connection is { } connection)
            {
                json.WriteStartObject("uuid"u8);
                WriteAsIs(json, "$binary", Convert.ToBase64String(connection.ToByteArray(bigEndian: true)));
                json.WriteString("$type"u8, "04"u8);
                json.WriteEndObject();
            }

            Write(json, "local", what.Local);
            Write(json, "remote", what.Remote);
            Write(json, "users", "user", what.Users);
            Write(json, "roles", "role", what.Roles);
            json.WritePropertyName("param"u8);
            Write(json, what.Param, json.BytesCommitted + json.BytesPending + LongestPart, depth: 0);
            json.WriteNumber("result"u8, what.Result);
            json.WriteNumber("seq"u8, number);
            json.WriteString("prev"u8, previous);
        }

        var hash = Convert.ToHexStringLower(HMACSHA256.HashData(key, output.WrittenSpan[start..]));
        output.Write(",\"hash\":\""u8);
        output.Write(System.Text.Encoding.ASCII.GetBytes(hash));
        output.Write("\"}\n"u8);
        return new AuditLine(number, previous, hash);
    }

    /// <summary>Reads a line, without its end; null when it is not one that was written with this key.</summary>
    public static AuditLine? TryRead(ReadOnlySpan<byte> line, byte[] key)
    {
        var signed = line[..Math.Max(0, line.Length - HashLength - 11)];
        var rest = line[signed.Length..];
        if (signed.IsEmpty || !rest.StartsWith(",\"hash\":\""u8) || !rest.EndsWith("\"}"u8))
        {
            return null;
        }

        var hash = rest[9..^2];
        Span<byte> wanted = stackalloc byte[HashLength];
        System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(HMACSHA256.HashData(key, signed)), wanted);
        if (!CryptographicOperations.FixedTimeEquals(hash, wanted))
        {
            return null;
        }

        // Signed, so it has this form: ...,"seq":7,"prev":"64 digits"
        var previous = signed[^(HashLength + 1)..^1];
        var head = signed[..^(HashLength + 10)];
        var number = head[(head.LastIndexOf((byte)':') + 1)..];
        return Utf8Parser.TryParse(number, out long parsed, out _)
            ? new AuditLine(parsed, System.Text.Encoding.ASCII.GetString(previous), System.Text.Encoding.ASCII.GetString(hash))
            : null;
    }

    private static string Short(string text) => text.Length <= LongestText ? text
        : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[LongestText - 1]) ? LongestText - 1 : LongestText), "…");

    // Of our own making, with a plus that the encoder would escape, as it is one of HTML's.
    private static void WriteAsIs(Utf8JsonWriter json, string name, string text)
    {
        json.WritePropertyName(name);
        json.WriteRawValue($"\"{text}\"", skipInputValidation: true);
    }

    private static void Write(Utf8JsonWriter json, string name, IPEndPoint? end)
    {
        json.WriteStartObject(name);
        if (end is null)
        {
            json.WriteBoolean("isSystemUser"u8, true);
        }
        else
        {
            var address = end.Address.IsIPv4MappedToIPv6 ? end.Address.MapToIPv4() : end.Address;
            json.WriteString("ip"u8, address.ToString());
            json.WriteNumber("port"u8, end.Port);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, string kind, IReadOnlyList<(string Name, string Database)> named)
    {
        var limit = json.BytesCommitted + json.BytesPending + LongestPart;
        json.WriteStartArray(name);
        foreach (var (one, database) in named)
        {
            if (json.BytesCommitted + json.BytesPending > limit)
            {
                json.WriteStringValue("…");
                break;
            }

            json.WriteStartObject();
            json.WriteString(kind, Short(one));
            json.WriteString("db"u8, Short(database));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, JsonNode? node, long limit, int depth)
    {
        bool Ends() => json.BytesCommitted + json.BytesPending > limit;

        switch (node)
        {
            case null:
                json.WriteNullValue();
                break;
            case JsonObject or JsonArray when depth > DeepestPart:
                json.WriteStringValue("…");
                break;
            case JsonObject document:
                json.WriteStartObject();
                foreach (var (name, value) in document)
                {
                    if (Ends())
                    {
                        json.WriteBoolean("truncated"u8, true);
                        break;
                    }

                    json.WritePropertyName(Short(name));
                    Write(json, value, limit, depth + 1);
                }

                json.WriteEndObject();
                break;
            case JsonArray list:
                json.WriteStartArray();
                foreach (var value in list)
                {
                    if (Ends())
                    {
                        json.WriteStringValue("…");
                        break;
                    }

                    Write(json, value, limit, depth + 1);
                }

                json.WriteEndArray();
                break;
            case var value when value.GetValueKind() == JsonValueKind.String:
                json.WriteStringValue(Short(value.GetValue<string>()));
                break;
            default:
                node.WriteTo(json);
                break;
        }
    }
}
