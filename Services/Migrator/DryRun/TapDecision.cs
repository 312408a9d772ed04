using MongoDB.Bson;

namespace Platform.Migrator.DryRun;

/// <summary>What happens to a tapped command.</summary>
/// <param name="Reply">The answer that the driver gets in place of the server's; null when the command goes to the server.</param>
/// <param name="Replacement">What goes to the server in place of the command; null for the command as it is.</param>
internal sealed record TapDecision(BsonDocument? Reply, BsonDocument? Replacement = null)
{
    /// <summary>The command goes to the server as it is.</summary>
    public static TapDecision Forward { get; } = new(Reply: null);
}
