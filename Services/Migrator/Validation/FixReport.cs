using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using Platform.Data.Rules;

namespace Platform.Migrator.Validation;

/// <summary>Writes violations as JSON lines: one object for each, with <c>collection</c>, <c>id</c>, <c>pointer</c>, <c>code</c> and <c>detail</c>.</summary>
/// <remarks>Ids stand in canonical extended JSON, so that they can be put into a query as they are.</remarks>
internal sealed class FixReport : IAsyncDisposable
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterSettings s_idFormat = new() { OutputMode = JsonOutputMode.CanonicalExtendedJson };

    private readonly FileStream _file;

    private FixReport(FileStream file) => _file = file;

    /// <summary>Creates the file, or empties it.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be created.</exception>
    public static FixReport Create(string path) =>
        new(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 64 * 1024, useAsync: true));

    /// <summary>Writes the violations of one document.</summary>
    public async ValueTask WriteAsync(string collection, BsonValue id, IReadOnlyList<RuleViolation> violations, CancellationToken cancellationToken)
    {
        foreach (var violation in violations)
        {
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer, s_options))
            {
                json.WriteStartObject();
                json.WriteString("collection", collection);
                json.WritePropertyName("id");
                json.WriteRawValue(id.ToJson(s_idFormat));
                json.WriteString("pointer", violation.Pointer);
                json.WriteString("code", violation.Code);
                json.WriteString("detail", violation.Detail);
                json.WriteEndObject();
            }

            buffer.Write("\n"u8);
            await _file.WriteAsync(buffer.WrittenMemory, cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => _file.DisposeAsync();
}
