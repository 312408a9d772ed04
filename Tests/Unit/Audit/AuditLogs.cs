using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Platform.Audit;

namespace Platform.Tests.Unit.Audit;

/// <summary>An audit log in a directory of its own, of whatever a seed makes.</summary>
internal sealed class AuditLogs : IDisposable
{
    public const string Writer = "mongo-1";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("audit-");

    public AuditLogs() => Settings = new AuditSettings
    {
        Directory = Path.Combine(_directory.FullName, "log"), KeyDirectory = Path.Combine(_directory.FullName, "keys"), KeepDays = 30,
    };

    public AuditSettings Settings { get; }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 30, 22, 0, 0, TimeSpan.Zero));

    public string Log => Path.Combine(Settings.Directory!, Writer);

    public string Root => _directory.FullName;

    public string[] Files => [.. Directory.GetFiles(Log, "*.jsonl").Order(StringComparer.Ordinal)];

    public Task<AuditLog> OpenAsync() => AuditLog.OpenAsync(Settings, Writer, TimeSpan.FromSeconds(5), Time, CancellationToken.None);

    public AuditVerification Verify() => AuditVerifier.Verify(Settings, Writer, CancellationToken.None);

    public AuditEvent Event(string type = "createUser", string user = "ann") => new(type, Time.GetUtcNow())
    {
        Users = [("platform", "admin")], Roles = [("root", "admin")], Param = new JsonObject { ["user"] = user, ["db"] = "admin" },
    };

    /// <summary>Writes some sessions of some events over some days, with crashes in between that leave half a line.</summary>
    public async Task FillAsync(Random random)
    {
        for (var session = random.Next(1, 4); session > 0; session--)
        {
            await using (var log = await OpenAsync())
            {
                for (var i = random.Next(1, 25); i > 0; i--)
                {
                    await log.WriteAsync(Event(random.Next(2) == 0 ? "authenticate" : "createUser", "user " + random.Next(100)), toDisk: random.Next(4) == 0);
                    Time.Advance(TimeSpan.FromHours(random.Next(0, 12)));
                }
            }

            if (random.Next(3) == 0)
            {
                await File.AppendAllTextAsync(Files[^1], "{\"atype\":\"createUser\",\"ts\":{\"$da");
            }
        }

        // The last crash is repaired.
        await (await OpenAsync()).DisposeAsync();
    }

    /// <summary>The same log once more.</summary>
    public AuditLogs Copy()
    {
        var copy = new AuditLogs();
        foreach (var file in Directory.GetFiles(Root, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.Root, Path.GetRelativePath(Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
