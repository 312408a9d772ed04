namespace Aspire.Hosting.ApplicationModel;

/// <summary>The states that the host itself gives to resources.</summary>
public static class KnownResourceStates
{
    /// <summary>It is being started.</summary>
    public static readonly string Starting = nameof(Starting);

    /// <summary>It runs.</summary>
    public static readonly string Running = nameof(Running);

    /// <summary>It is there and has no lifetime of its own.</summary>
    public static readonly string Active = nameof(Active);

    /// <summary>It could not be started.</summary>
    public static readonly string FailedToStart = nameof(FailedToStart);

    /// <summary>The container runtime that it needs does not answer.</summary>
    public static readonly string RuntimeUnhealthy = nameof(RuntimeUnhealthy);

    /// <summary>It is being stopped.</summary>
    public static readonly string Stopping = nameof(Stopping);

    /// <summary>It has stopped (containers).</summary>
    public static readonly string Exited = nameof(Exited);

    /// <summary>It has ended (processes).</summary>
    public static readonly string Finished = nameof(Finished);

    /// <summary>It waits for other resources.</summary>
    public static readonly string Waiting = nameof(Waiting);

    /// <summary>It is started by the user only.</summary>
    public static readonly string NotStarted = nameof(NotStarted);

    /// <summary>It is being built.</summary>
    public static readonly string Building = nameof(Building);

    /// <summary>A parameter that has no value.</summary>
    public static readonly string ValueMissing = nameof(ValueMissing);

    /// <summary>The states that a resource leaves only by being started again.</summary>
    public static readonly IReadOnlyList<string> TerminalStates = [Finished, FailedToStart, Exited];
}
