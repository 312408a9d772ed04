namespace Platform.Jobs.Progress;

/// <summary>Shows how far the work on the documents of several collections has come. Thread-safe.</summary>
public interface IJobProgress
{
    /// <summary>Runs work while its progress is shown; all reports come from inside of it.</summary>
    /// <param name="work">The work.</param>
    Task RunAsync(Func<Task> work);

    /// <summary>A collection has come this far. Reports of a collection may overtake each other.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="done">Documents done.</param>
    /// <param name="expected">Documents to do, about.</param>
    void Report(string collection, long done, long expected);

    /// <summary>A collection is done.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="done">How many documents there were.</param>
    /// <param name="outcome">What came of it, in a few words; null when there is nothing to say.</param>
    void Finish(string collection, long done, string? outcome = null);
}
