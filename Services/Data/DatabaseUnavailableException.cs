namespace Platform.Data;

/// <summary>The database did not answer in time.</summary>
/// <param name="message">One sentence that names the servers and the reason.</param>
/// <param name="innerException">What the last attempt failed with.</param>
public sealed class DatabaseUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);
