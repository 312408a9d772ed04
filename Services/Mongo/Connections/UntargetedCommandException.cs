namespace Platform.Mongo.Connections;

/// <summary>A command was not sent, because a sharded cluster would send it to more shards than it has to: a mistake in the program.</summary>
/// <param name="message">One sentence.</param>
public sealed class UntargetedCommandException(string message) : InvalidOperationException(message);
