using Platform.Backup.Work;

namespace Platform.Backup.Agent;

/// <summary>What the agent knows and has done last, for its health and its metrics.</summary>
internal sealed class AgentState
{
    private volatile BackupStatus? _status;
    private volatile AgentFailure? _failure;

    /// <summary>How the backups stood when the agent looked last; null before it did.</summary>
    public BackupStatus? Status { get => _status; set => _status = value; }

    /// <summary>What failed last, and has not gone well since; null when all did.</summary>
    public AgentFailure? Failure { get => _failure; set => _failure = value; }

    /// <summary>How often something failed.</summary>
    public long Failures { get; set; }

    /// <summary>How often a round of the copy failed.</summary>
    public long CopyFailures { get; set; }
}

/// <summary>Something that the agent tried did not go well.</summary>
/// <param name="At">When.</param>
/// <param name="Work">What: <c>look</c>, <c>backup</c>, <c>verification</c> or <c>drill</c>.</param>
/// <param name="Sentence">Why.</param>
internal sealed record AgentFailure(DateTimeOffset At, string Work, string Sentence);
