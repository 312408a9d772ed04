using System.CommandLine;
using System.Globalization;
using Platform.Jobs;
using Platform.Jobs.Progress;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary>Changes indexes one after the other, and shows how far it is.</summary>
/// <param name="progress">Shows it.</param>
internal sealed class IndexWork(StepProgress progress)
{
    /// <summary>Progress belongs to people: JSON stands alone on standard output.</summary>
    public static IndexWork ShownFor(ParseResult result) => new(result.GetValue(JobCommandLine.Json)
        ? new StepProgress(Console.Error, isTerminal: false)
        : new StepProgress(Console.Out, !Console.IsOutputRedirected));

    public async Task<IReadOnlyList<IndexOutcome>> RunAsync(IReadOnlyList<IndexStep> steps, CancellationToken cancellationToken)
    {
        var outcomes = new List<IndexOutcome>();
        foreach (var step in steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress.Begin(outcomes.Count + 1, steps.Count, step.Name);
            outcomes.Add(await step.RunAsync(cancellationToken));
            progress.End(outcomes.Count, steps.Count, Text(outcomes[^1]));
        }

        return outcomes;
    }

    private static string Text(IndexOutcome outcome)
    {
        var (what, time) = outcome.Outcome == IndexOutcomeKind.Left
            ? ("left as it is", "")
            : (outcome.Outcome.ToString().ToLowerInvariant(), string.Create(CultureInfo.InvariantCulture, $", {outcome.Milliseconds:0} ms"));
        return $"{outcome.Collection}.{outcome.Index}: {what} ({outcome.Reason}){time}";
    }
}

/// <summary>One change of an index.</summary>
/// <param name="Name">The collection and the index, with a dot between them.</param>
/// <param name="RunAsync">Makes it.</param>
internal sealed record IndexStep(string Name, Func<CancellationToken, Task<IndexOutcome>> RunAsync);
