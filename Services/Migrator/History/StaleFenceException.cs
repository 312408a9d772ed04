namespace Platform.Migrator.History;

/// <summary>Another process took over while this one was held up; what it wrote stands.</summary>
/// <param name="id">The record that was not written.</param>
/// <param name="innerException">What the database said.</param>
public sealed class StaleFenceException(string id, Exception? innerException = null)
    : Exception($"Another migrator has taken over and written the record of {id}.", innerException);
