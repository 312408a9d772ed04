namespace Platform.Tests.Unit.Caching;

/// <summary>
/// Decides, by a seed, who goes on next: whatever takes time waits at a gate, and one gate after the other is opened. Everything runs on the thread that
/// opens them, so the same seed gives the same interleaving.
/// </summary>
internal sealed class Schedule(int seed)
{
    // Far more than any run has.
    private const int MaxSteps = 20_000;

    private readonly List<TaskCompletionSource> _gates = [];
    private readonly Random _random = new(seed);

    /// <summary>Decides what the run is like.</summary>
    public Random Random => _random;

    /// <summary>Waits until it is this one's turn.</summary>
    public Task GateAsync()
    {
        var gate = new TaskCompletionSource();
        _gates.Add(gate);
        return gate.Task;
    }

    /// <summary>Opens gates until everybody has ended.</summary>
    /// <param name="actors">Those who take part.</param>
    public void Run(IReadOnlyCollection<Task> actors)
    {
        for (var step = 0; actors.Any(actor => !actor.IsCompleted); step++)
        {
            if (_gates.Count == 0 || step > MaxSteps)
            {
                throw new InvalidOperationException("Somebody waits for something other than a gate.");
            }

            var next = _random.Next(_gates.Count);
            var gate = _gates[next];
            _gates.RemoveAt(next);
            gate.SetResult();
        }

        foreach (var actor in actors)
        {
            actor.GetAwaiter().GetResult();
        }
    }
}
