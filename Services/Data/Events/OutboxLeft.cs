using MongoDB.Bson;
using Platform.Data.Documents;

namespace Platform.Data.Events;

/// <summary>An entry that was left behind, as it was found.</summary>
/// <param name="Id">Its key; anything in an entry that this program cannot read.</param>
/// <param name="Attempts">How often its delivery was begun.</param>
/// <param name="Entry">The entry; null when this program cannot read it.</param>
/// <param name="Unreadable">Why it cannot be read; null when it can.</param>
public sealed record OutboxLeft(BsonValue Id, int Attempts, OutboxEntry? Entry, Exception? Unreadable);
