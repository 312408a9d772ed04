namespace Platform.Migrator.Transforms;

/// <summary>A transform did not do what it should: documents are left that need it, or samples are not as they should be.</summary>
/// <param name="message">One sentence.</param>
public sealed class TransformException(string message) : Exception(message);
