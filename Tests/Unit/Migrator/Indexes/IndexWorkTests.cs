using Platform.Jobs.Progress;
using Platform.Migrator.Commands;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Indexes;

/// <summary>Indexes of several collections are built at once, those of one in their order.</summary>
public sealed class IndexWorkTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Collections_are_worked_on_at_once_and_the_indexes_of_one_in_their_order()
    {
        var output = new StringWriter();
        var (begun, gates) = (new List<string>(), new Dictionary<string, TaskCompletionSource>());
        var most = IndexWork.CollectionsAtOnce;
        var names = Enumerable.Range(0, most + 1).SelectMany(c => (string[])[$"c{c}.first", $"c{c}.second"]).ToList();
        names.ForEach(name => gates[name] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var running = new IndexWork(new StepProgress(output, isTerminal: false)).RunAsync([.. names.Select(Step)], Cancel);

        await BegunAsync(most);
        Assert.Equal(Enumerable.Range(0, most).Select(c => $"c{c}.first"), begun.Order(StringComparer.Ordinal));
        gates["c0.first"].SetResult();
        await BegunAsync(most + 1);
        Assert.Equal("c0.second", begun[^1]);
        gates["c0.second"].SetResult();
        await BegunAsync(most + 2);
        Assert.Equal($"c{most}.first", begun[^1]);
        foreach (var gate in gates.Values)
        {
            gate.TrySetResult();
        }

        Assert.Equal(names, (await running).Select(outcome => $"{outcome.Collection}.{outcome.Index}"));
        var lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Range(1, names.Count).Select(number => $"[{number}/{names.Count}]"), lines.Select(line => line.Split(' ')[0]));
        Assert.Contains("c0.first: created", lines[0], StringComparison.Ordinal);

        Task BegunAsync(int count) => Wait.UntilAsync(() => Count() == count, $"{count} steps to begin", Cancel);
        int Count()
        {
            lock (begun)
            {
                return begun.Count;
            }
        }

        IndexStep Step(string name) => new(name, async token =>
        {
            lock (begun)
            {
                begun.Add(name);
            }

            await gates[name].Task.WaitAsync(token);
            return new IndexOutcome(name.Split('.')[0], name.Split('.')[1], IndexOutcomeKind.Created, "", 1);
        });
    }

    [Fact]
    public async Task The_first_step_that_fails_ends_the_others_and_is_the_one_that_is_told_of()
    {
        var work = new IndexWork(new StepProgress(TextWriter.Null, isTerminal: true));
        var (ended, late) = (false, false);
        var begun = new TaskCompletionSource();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => work.RunAsync(
            [
                new IndexStep("a.first", async token =>
                {
                    try
                    {
                        begun.SetResult();
                        await Task.Delay(Timeout.Infinite, token);
                    }
                    finally
                    {
                        ended = true;
                    }

                    throw new InvalidOperationException("never");
                }),
                new IndexStep("b.first", async _ =>
                {
                    await begun.Task;
                    throw new InvalidOperationException("It cannot be built.");
                }),
                new IndexStep("b.second", _ =>
                {
                    late = true;
                    throw new InvalidOperationException("late");
                }),
            ],
            Cancel));
        Assert.Equal(("It cannot be built.", true, false), (failure.Message, ended, late));
    }

    [Fact]
    public void A_terminal_shows_in_one_line_what_runs()
    {
        var output = new StringWriter();
        var progress = new StepProgress(output, isTerminal: true);
        progress.Begin(1, 2, "a.first");
        progress.Begin(1, 2, "a.first, b.first");
        progress.Begin(1, 2, "b");
        progress.End(1, 2, "a");
        progress.Begin(2, 2, "b");
        Assert.Equal(
            $"[1/2] a.first …\r[1/2] a.first, b.first …\r{"[1/2] b …".PadRight(24)}\r{"[1/2] a".PadRight(9)}{Environment.NewLine}[2/2] b …",
            output.ToString());
    }
}
