using MongoDB.Bson;

namespace Platform.Mongo.Connections;

/// <summary>Judges commands before they are sent. Called on the caller's thread for each command, so that it must be fast and must not throw.</summary>
public interface ICommandGuard
{
    /// <summary>Judges a command.</summary>
    /// <param name="database">The database that it is for.</param>
    /// <param name="command">The command; its first element is its name. Only valid during the call.</param>
    /// <returns>What is wrong with it, in a sentence without values of the caller; null when nothing is.</returns>
    string? Objection(string database, BsonDocument command);
}
