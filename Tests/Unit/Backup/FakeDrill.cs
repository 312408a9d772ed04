using Platform.Backup.Drills;
using Platform.Backup.Engines;
using Platform.Backup.Work;

namespace Platform.Tests.Unit.Backup;

/// <summary>A drill that restores nothing and leaves the evidence of it.</summary>
internal sealed class FakeDrill(string directory, TimeProvider time) : IDrill
{
    /// <summary>When drills were begun.</summary>
    public List<DateTimeOffset> Began { get; } = [];

    /// <summary>What the next ones find.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>Why none is tried; null when they are.</summary>
    public BackupException? Obstacle { get; set; }

    /// <inheritdoc />
    public Task<DrillRecord> RunAsync(CancellationToken cancellationToken)
    {
        if (Obstacle is not null)
        {
            throw Obstacle;
        }

        Began.Add(time.GetUtcNow());
        var record = new DrillRecord(time.GetUtcNow(), time.GetUtcNow(), 2.5, 3, 100, 99, ["It was looked at."], [.. Findings]);
        record.Write(directory, DrillPage.Of(record));
        return Task.FromResult(record);
    }
}
