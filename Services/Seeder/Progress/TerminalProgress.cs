using System.Collections.Concurrent;
using System.Globalization;
using Spectre.Console;

namespace Platform.Seeder.Progress;

/// <summary>One bar per collection; for a terminal.</summary>
internal sealed class TerminalProgress(IAnsiConsole console) : ISeedProgress
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

    public void Report(string collection, long done, long expected, bool finished)
    {
        var context = _context ?? throw new InvalidOperationException("Progress is reported outside of RunAsync.");
        var bar = _bars.GetOrAdd(collection, name => new Lazy<ProgressTask>(() => context.AddTask(name, maxValue: Math.Max(1, expected)))).Value;
        lock (bar)
        {
            if (finished)
            {
                bar.MaxValue = Math.Max(1, done);
                bar.Description = string.Create(CultureInfo.InvariantCulture, $"{collection} ({done:N0})");
            }

            bar.Value = finished ? bar.MaxValue : Math.Max(bar.Value, done);
        }
    }
}
