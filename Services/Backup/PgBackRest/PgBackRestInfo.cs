using System.Text.Json;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Backup.PgBackRest;

/// <summary>What <c>pgbackrest info --output=json</c> says.</summary>
/// <remarks><see href="https://pgbackrest.org/command.html#command-info"/></remarks>
internal static class PgBackRestInfo
{
    /// <summary>The annotation of backups that were verified, and what it says of them.</summary>
    public const string ProvenKey = "proven", Proven = "yes", Disproved = "no";

    // Of the stanza: ok; no stanza; no backup.
    private const int Ok = 0, MissingStanza = 1, NoBackup = 2;

    /// <summary>The backups, oldest first; null when the repository has not been made.</summary>
    /// <param name="json">
    /// <c>[{"name":"platform","status":{"code":0,"message":"ok"},"backup":[{"label":"20261129-020000F","error":false,"annotation":{"proven":"yes"},
    /// "timestamp":{"start":1,"stop":2},"archive":{"start":"0000…","stop":"0000…"},"database":{"id":1,"repo-key":1},
    /// "info":{"size":1,"repository":{"delta":1}}}],
    /// "archive":[{"id":"18-1","database":{"id":1,"repo-key":1}}],"db":[{"id":1}]}]</c>
    /// </param>
    /// <exception cref="BackupException">It says something else, or that the repository cannot be read.</exception>
    public static IReadOnlyList<BackupSet>? Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.GetArrayLength() == 0)
            {
                return null;
            }

            var stanza = document.RootElement[0];
            var status = stanza.GetProperty("status");
            return status.GetProperty("code").GetInt32() switch
            {
                MissingStanza => null,
                NoBackup => [],
                Ok => [.. stanza.GetProperty("backup").EnumerateArray().Select(backup => Read(backup, stanza)).OrderBy(backup => backup.Start)],
                _ => throw Unusable(stanza),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // What it could not decrypt it shows, and that is no JSON.
            throw ToolResult.IsUnreadable(json)
                ? ToolResult.Unreadable()
                : new BackupException($"pgBackRest says something of the repository that is not understood: {e.Message}", ExitCodes.Failure, e);
        }
    }

    private static BackupException Unusable(JsonElement stanza)
    {
        var reason = string.Join(
            ' ',
            stanza.GetProperty("repo").EnumerateArray().Select(repository => repository.GetProperty("status").GetProperty("message").GetString() ?? ""));
        return ToolResult.IsUnreadable(reason)
            ? ToolResult.Unreadable()
            : new BackupException($"The repository cannot be used: {reason.ReplaceLineEndings(" ")}");
    }

    private static BackupSet Read(JsonElement backup, JsonElement stanza)
    {
        var (timestamp, archive, info) = (backup.GetProperty("timestamp"), backup.GetProperty("archive"), backup.GetProperty("info"));
        var history = backup.GetProperty("database").GetProperty("id").GetInt32();
        var hasError = backup.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.True;
        return new BackupSet(
            Text(backup, "label"),
            DateTimeOffset.FromUnixTimeSeconds(timestamp.GetProperty("start").GetInt64()),
            DateTimeOffset.FromUnixTimeSeconds(timestamp.GetProperty("stop").GetInt64()),
            hasError ? BackupProof.Disproved
                : !backup.TryGetProperty("annotation", out var notes) || !notes.TryGetProperty(ProvenKey, out var proven) ? BackupProof.None
                : proven.GetString() == Proven ? BackupProof.Proven
                : BackupProof.Disproved,
            info.GetProperty("size").GetInt64(),
            info.GetProperty("repository").GetProperty("delta").GetInt64(),
            Text(archive, "start"),
            Text(archive, "stop"),
            stanza.GetProperty("archive").EnumerateArray()
                .Where(part => part.GetProperty("database").GetProperty("id").GetInt32() == history)
                .Select(part => Text(part, "id"))
                .FirstOrDefault() ?? "",
            history == stanza.GetProperty("db").EnumerateArray().Max(database => database.GetProperty("id").GetInt32()));

        static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";
    }
}
