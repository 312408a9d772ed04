namespace Platform.Migrator.Transforms;

/// <summary>A transform did not do what it should: some documents could not be rewritten, or a sample is not as it should be.</summary>
/// <param name="message">One sentence.</param>
/// <param name="documents">The first of the documents; empty for a sample.</param>
public sealed class TransformException(string message, IReadOnlyList<UndoneDocument> documents) : Exception(message)
{
    /// <summary>The first of the documents that could not be rewritten.</summary>
    public IReadOnlyList<UndoneDocument> Documents { get; } = documents;
}
