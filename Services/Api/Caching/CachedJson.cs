using System.Text.Json;

namespace Platform.Api.Caching;

/// <summary>Answers as the caches keep them: the JSON that callers get, in UTF-8.</summary>
internal static class CachedJson
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Makes the JSON of an answer; null of null.</summary>
    public static byte[]? Of<TValue>(TValue? answer)
        where TValue : class => answer is null ? null : JsonSerializer.SerializeToUtf8Bytes(answer, s_json);

    /// <summary>Reads it back.</summary>
    public static TValue Read<TValue>(ReadOnlyMemory<byte> json) =>
        JsonSerializer.Deserialize<TValue>(json.Span, s_json) ?? throw new JsonException("The answer is null.");
}
