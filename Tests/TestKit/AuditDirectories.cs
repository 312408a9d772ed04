using Platform.Audit;

namespace Platform.Tests.TestKit;

/// <summary>The directories of an audit log of a test's own.</summary>
internal sealed class AuditDirectories : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("audit-");

    /// <summary>New ones; the log may be elsewhere.</summary>
    public AuditDirectories(string? log = null) => Settings = new AuditSettings
    {
        Directory = log ?? Path.Combine(_directory.FullName, "log"), KeyDirectory = Path.Combine(_directory.FullName, "keys"),
    };

    /// <summary>Where they are.</summary>
    public AuditSettings Settings { get; }

    /// <summary>The settings of a gateway, as arguments.</summary>
    public string[] Arguments => [$"--Gateway:Audit:Directory={Settings.Directory}", $"--Gateway:Audit:KeyDirectory={Settings.KeyDirectory}"];

    /// <summary>Everything that was written until now, as it stands in the files.</summary>
    public string Text => string.Concat(Directory.GetFiles(Settings.Directory!, "*.jsonl", SearchOption.AllDirectories).Select(File.ReadAllText));

    /// <summary>All records of a writer until now.</summary>
    public IReadOnlyList<AuditRecord> Records(string writer = "mongo-1")
    {
        using var reader = new AuditReader(Settings, writer);
        var records = new List<AuditRecord>();
        while (reader.TryRead(out var entry))
        {
            records.Add(entry.Record ?? throw new InvalidOperationException($"{entry.File}:{entry.Line} is no record."));
        }

        return records;
    }

    /// <summary>What is wrong with a writer's log.</summary>
    public AuditVerification Verify(string writer = "mongo-1") => AuditVerifier.Verify(Settings, writer, CancellationToken.None);

    /// <inheritdoc />
    public void Dispose() => _directory.Delete(recursive: true);
}
