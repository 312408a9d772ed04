namespace Platform.Migrator.Indexes;

/// <summary>Is told how far a run is.</summary>
internal interface IIndexProgress
{
    /// <summary>A step begins.</summary>
    /// <param name="number">Which one, from 1.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="what">What is being done.</param>
    void Begins(int number, int count, string what);

    /// <summary>The step has ended.</summary>
    /// <param name="number">Which one, from 1.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="outcome">What became of it.</param>
    void Ended(int number, int count, IndexOutcome outcome);
}
