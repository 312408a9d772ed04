namespace Platform.Mongo.Connections;

/// <summary>More work wants the database than its connections serve soon; nothing was done.</summary>
/// <param name="message">Which work, and why.</param>
public sealed class DatabaseBusyException(string message) : Exception(message);
