namespace Platform.Seeder.Progress;

/// <summary>Shows nothing; for output that a program reads.</summary>
internal sealed class NoProgress : ISeedProgress
{
    public Task RunAsync(Func<Task> work) => work();

    public void Report(string collection, long done, long expected, bool finished)
    {
        // Nothing is shown.
    }
}
