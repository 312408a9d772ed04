namespace Platform.Seeder.Progress;

/// <summary>Shows how far the seeding has come.</summary>
internal interface ISeedProgress
{
    /// <summary>Runs work while the progress is shown.</summary>
    Task RunAsync(Func<Task> work);

    /// <summary>A collection has come this far.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="written">Documents written.</param>
    /// <param name="expected">Documents to write, at most.</param>
    /// <param name="finished">Whether the collection is complete.</param>
    void Report(string collection, long written, long expected, bool finished);
}
