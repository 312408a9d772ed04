namespace Platform.Mongo.Connections;

/// <summary>The database did not answer in time, or is not asked because it failed too often just now.</summary>
/// <param name="message">One sentence with the reason.</param>
/// <param name="innerException">What the last attempt failed with.</param>
public sealed class DatabaseUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>After which time it is asked again; null when nothing is known.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
