using System.Collections.Concurrent;
using System.Globalization;
using Spectre.Console;

namespace Platform.Jobs.Progress;

/// <summary>One bar for each collection; for people at a terminal.</summary>
internal sealed class TerminalProgress(IAnsiConsole console) : IJobProgress
{
    private readonly ConcurrentDictionary<string, Lazy<ProgressTask>> _bars = new();
    private ProgressContext? _context;

    public Task RunAsync(Func<Task> work) => console.Progress()
        .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
        .StartAsync(async context =>
        {
            _context = context;
            await work();
        });

    public void Report(string collection, long done, long expected)
    {
        var bar = Bar(collection, expected);
        lock (bar)
        {
            // What is expected is an estimate, and reports overtake each other: a bar does not go back.
            bar.MaxValue = Math.Max(bar.MaxValue, done);
            bar.Value = Math.Max(bar.Value, done);
        }
    }

    public void Finish(string collection, long done, string? outcome = null)
    {
        var bar = Bar(collection, done);
        lock (bar)
        {
            bar.MaxValue = Math.Max(1, done);
            bar.Value = bar.MaxValue;
            bar.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture, $"{collection} ({outcome ?? $"{done:N0}"})"));
            bar.StopTask();
        }
    }

    private ProgressTask Bar(string collection, long expected)
    {
        var context = _context ?? throw new InvalidOperationException("Progress is reported outside of RunAsync.");
        return _bars.GetOrAdd(collection, name => new Lazy<ProgressTask>(() => context.AddTask(Markup.Escape(name), maxValue: Math.Max(1, expected)))).Value;
    }
}
