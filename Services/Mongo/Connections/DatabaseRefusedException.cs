namespace Platform.Mongo.Connections;

/// <summary>The database answers, and the program as it is configured cannot work with it.</summary>
/// <param name="message">One sentence with the reason and what to do.</param>
/// <param name="innerException">What it comes from.</param>
public sealed class DatabaseRefusedException(string message, Exception? innerException = null) : Exception(message, innerException);
