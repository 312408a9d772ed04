using MongoDB.Bson;

namespace Platform.Migrator.DryRun;

/// <summary>A command on its way from the driver to the server.</summary>
/// <param name="Name">The command's name.</param>
/// <param name="Database">The database.</param>
/// <param name="Document">The whole command, document sequences put into their fields.</param>
internal sealed record TappedCommand(string Name, string Database, BsonDocument Document);
