namespace Platform.Monitor.Collectors;

/// <summary>Asks one kind of server, or this machine, how it is.</summary>
internal interface ICollector
{
    /// <summary>The label <c>collector</c> of its metrics: lower case, without spaces.</summary>
    string Name { get; }

    /// <summary>Asks, and returns what was answered; what one of several servers did not answer is a sample of its own and no exception.</summary>
    /// <param name="cancellationToken">Cancelled at the collector's deadline, and when the monitor stops.</param>
    Task<IReadOnlyList<Sample>> CollectAsync(CancellationToken cancellationToken);
}
