using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Platform.Audit;

/// <summary>A line of a log as a reader sees it. What stands in it is not verified.</summary>
public sealed class AuditRecord
{
    private AuditRecord(string json, JsonElement root)
    {
        Json = json;
        Type = root.GetProperty("atype").GetString()!;
        At = DateTimeOffset.Parse(root.GetProperty("ts").GetProperty("$date").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
        Users = [.. Named(root, "users", "user")];
        Remote = root.TryGetProperty("remote", out var remote) && remote.TryGetProperty("ip", out var ip) && IPAddress.TryParse(ip.GetString(), out var address)
            ? new IPEndPoint(address, remote.GetProperty("port").GetInt32())
            : null;
        Param = root.GetProperty("param").Clone();
        Result = root.GetProperty("result").GetInt32();
        Number = root.TryGetProperty("seq", out var number) ? number.GetInt64() : 0;
    }

    /// <summary>The line.</summary>
    public string Json { get; }

    /// <summary>What kind of event.</summary>
    public string Type { get; }

    /// <summary>When it happened.</summary>
    public DateTimeOffset At { get; }

    /// <summary>Who was logged in.</summary>
    public IReadOnlyList<(string User, string Database)> Users { get; }

    /// <summary>From where; null for what no client did.</summary>
    public IPEndPoint? Remote { get; }

    /// <summary>The particulars.</summary>
    public JsonElement Param { get; }

    /// <summary>The error code, 0 for success.</summary>
    public int Result { get; }

    /// <summary>The line's number in its log; 0 in logs of other servers.</summary>
    public long Number { get; }

    /// <summary>Reads a line; null when it is no audit message.</summary>
    /// <param name="line">The line without its end.</param>
    public static AuditRecord? TryParse(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            using var document = JsonDocument.ParseValue(ref reader);
            return new AuditRecord(Encoding.UTF8.GetString(line), document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static IEnumerable<(string, string)> Named(JsonElement root, string list, string kind)
    {
        foreach (var entry in root.GetProperty(list).EnumerateArray().Where(entry => entry.ValueKind == JsonValueKind.Object))
        {
            yield return (entry.GetProperty(kind).GetString() ?? "", entry.TryGetProperty("db", out var database) ? database.GetString() ?? "" : "");
        }
    }
}
