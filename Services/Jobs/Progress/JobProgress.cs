using Spectre.Console;

namespace Platform.Jobs.Progress;

/// <summary>Chooses how progress is shown.</summary>
public static class JobProgress
{
    /// <summary>Shows nothing; for output that a program reads.</summary>
    public static IJobProgress None { get; } = new NoProgress();

    /// <summary>One bar for each collection at a terminal, else lines.</summary>
    /// <param name="verb">What is done to the documents, as a participle.</param>
    /// <param name="lines">Where lines go.</param>
    /// <param name="bars">Whether there may be bars. Default: true.</param>
    public static IJobProgress Show(string verb, TextWriter lines, bool bars = true) =>
        bars && AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected
            ? new TerminalProgress(AnsiConsole.Console)
            : new PlainProgress(lines, verb, TimeProvider.System);

    private sealed class NoProgress : IJobProgress
    {
        public Task RunAsync(Func<Task> work) => work();

        public void Report(string collection, long done, long expected)
        {
            // Nothing is shown.
        }

        public void Finish(string collection, long done, string? outcome)
        {
            // Nothing is shown.
        }
    }
}
