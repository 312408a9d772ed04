using System.Globalization;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Tests.Unit.Backup;

/// <summary>An engine that keeps its backups in memory and goes by a clock, for tests of what is done when.</summary>
internal sealed class FakeEngine(TimeProvider time) : IBackupEngine
{
    private readonly List<BackupSet> _backups = [];

    /// <inheritdoc />
    public IReadOnlyList<string> Capabilities => [];

    /// <inheritdoc />
    public bool HasRepository { get; private set; }

    /// <summary>Why the next backups fail; null when they do not.</summary>
    public string? Obstacle { get; set; }

    /// <summary>What every verification finds.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>A gap in the log, and whether it can be closed.</summary>
    public string? Gap { get; set; }

    /// <summary>Whether a member is primary.</summary>
    public bool HasPrimary { get; set; } = true;

    /// <summary>How often a backup was begun.</summary>
    public int Attempts { get; private set; }

    /// <summary>Removes what the policy does not keep of the log.</summary>
    public Action? RemovesLog { get; set; }

    /// <summary>What was removed, in this order.</summary>
    public List<string> Removed { get; } = [];

    /// <inheritdoc />
    public Task<IReadOnlyList<BackupSet>> BackupsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<BackupSet>>([.. _backups]);

    /// <inheritdoc />
    public Task<ArchiveStanding> StandingAsync(CancellationToken cancellationToken) => Task.FromResult(
        HasPrimary ? new ArchiveStanding(1, time.GetUtcNow(), 0, null, null) : ArchiveStanding.NoPrimary);

    /// <inheritdoc />
    public RecoveryWindow WindowOf(IReadOnlyList<BackupSet> backups) => new(backups.FirstOrDefault(backup => backup.IsProven)?.Stop, time.GetUtcNow(), Gap);

    /// <inheritdoc />
    public Task PrepareAsync(CancellationToken cancellationToken)
    {
        HasRepository = true;
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task AdoptAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task<IReadOnlyList<string>> CloseGapsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    /// <inheritdoc />
    public Task BackupAsync(CancellationToken cancellationToken)
    {
        Attempts++;
        if (Obstacle is not null)
        {
            throw new BackupException(Obstacle);
        }

        var start = time.GetUtcNow();
        _backups.Add(KeepPlanTests.Backup(start, BackupProof.None) with
        {
            Label = start.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture) + "F", Stop = start,
        });
        Gap = null;
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<Finding>> VerifyAsync(string? label, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Finding>>([.. Findings.Select(finding => finding with { Subject = label ?? finding.Subject })]);

    /// <inheritdoc />
    public Task MarkAsync(string label, bool isProven, CancellationToken cancellationToken)
    {
        var place = _backups.FindIndex(backup => backup.Label == label);
        _backups[place] = _backups[place] with { Proof = isProven ? BackupProof.Proven : BackupProof.Disproved };
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task RemoveAsync(string label, CancellationToken cancellationToken)
    {
        Assert(_backups.RemoveAll(backup => backup.Label == label) == 1, $"{label} is there");
        Removed.Add(label);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task RemoveLogAsync(int fullsWithLog, CancellationToken cancellationToken)
    {
        RemovesLog?.Invoke();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task<bool> FlushAsync(CancellationToken cancellationToken) => Task.FromResult(HasPrimary);

    /// <inheritdoc />
    public Task RestoreAsync(RestoreTarget target, string directory, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <inheritdoc />
    public Task<DatabaseMarker> MarkerAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <inheritdoc />
    public Task<DatabaseContents> ContentsAsync(string server, CancellationToken cancellationToken) => throw new NotSupportedException();

    private static void Assert(bool holds, string what) => Xunit.Assert.True(holds, what);
}
