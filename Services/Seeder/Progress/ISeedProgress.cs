namespace Platform.Seeder.Progress;

/// <summary>Shows how far the work has come.</summary>
internal interface ISeedProgress
{
    /// <summary>Runs work while the progress is shown.</summary>
    Task RunAsync(Func<Task> work);

    /// <summary>A collection has come this far. Thread-safe; reports of a collection may overtake each other.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="done">Documents done.</param>
    /// <param name="expected">Documents to do, at most.</param>
    /// <param name="finished">Whether the collection is complete.</param>
    void Report(string collection, long done, long expected, bool finished);
}
