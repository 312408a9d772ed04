using System.CommandLine;
using System.Globalization;
using Platform.Jobs;
using Platform.Jobs.Progress;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary>
/// Changes indexes, and shows how far it is: those of a collection one after the other, in their order, and those of several collections at once.
/// </summary>
/// <param name="progress">Shows it.</param>
internal sealed class IndexWork(StepProgress progress)
{
    /// <summary>On how many collections at most: as many builds as a MongoDB server runs beside each other.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.maxNumActiveUserIndexBuilds"/></remarks>
    public const int CollectionsAtOnce = 3;

    /// <summary>Progress belongs to people: JSON stands alone on standard output.</summary>
    public static IndexWork ShownFor(ParseResult result) => new(result.GetValue(JobCommandLine.Json)
        ? new StepProgress(Console.Error, isTerminal: false)
        : new StepProgress(Console.Out, !Console.IsOutputRedirected));

    /// <summary>Does all steps. The first that fails ends the others.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What came of each, in the order of the steps.</returns>
    public async Task<IReadOnlyList<IndexOutcome>> RunAsync(IReadOnlyList<IndexStep> steps, CancellationToken cancellationToken)
    {
        var outcomes = new IndexOutcome[steps.Count];
        var (running, ended) = (new List<string>(), 0);
        await Parallel.ForEachAsync(
            steps.Index().GroupBy(step => step.Item.Collection, StringComparer.Ordinal),
            new ParallelOptions { MaxDegreeOfParallelism = CollectionsAtOnce, CancellationToken = cancellationToken },
            async (collection, token) =>
            {
                foreach (var (index, step) in collection)
                {
                    token.ThrowIfCancellationRequested();
                    Show(() => running.Add(step.Name));
                    outcomes[index] = await step.RunAsync(token);
                    Show(() =>
                    {
                        running.Remove(step.Name);
                        progress.End(++ended, steps.Count, Text(outcomes[index]));
                    });
                }
            });
        return outcomes;

        void Show(Action change)
        {
            lock (running)
            {
                change();
                if (running.Count > 0)
                {
                    progress.Begin(ended + 1, steps.Count, string.Join(", ", running));
                }
            }
        }
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
internal sealed record IndexStep(string Name, Func<CancellationToken, Task<IndexOutcome>> RunAsync)
{
    /// <summary>The collection.</summary>
    public string Collection => Name.Split('.', 2)[0];
}
