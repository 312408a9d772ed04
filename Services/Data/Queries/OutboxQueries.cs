using MongoDB.Bson;

namespace Platform.Data.Queries;

/// <summary>What is asked of the outbox, as the catalogue declares its index and the API asks it.</summary>
public static class OutboxQueries
{
    /// <summary>The member in which what becomes of an entry is kept.</summary>
    public const string Delivery = "delivery";

    /// <summary>When the next attempt may begin.</summary>
    public const string NextAttemptAt = $"{Delivery}.nextAttemptAt";

    /// <summary>When the entry was set aside.</summary>
    public const string SetAsideAt = $"{Delivery}.setAsideAt";

    /// <summary>The form of entries that the program could read which tried it.</summary>
    public const string FormOfReader = $"{Delivery}.form";

    /// <summary>How many entries <see cref="Waiting"/> is asked for at most.</summary>
    public const int MostWaiting = 1000;

    /// <summary>The entry that was written first comes first.</summary>
    public static BsonDocument OldestFirst => new("createdAt", 1);

    /// <summary>
    /// Entries that were left behind and whose turn has come: those whose <c>delivery</c> no program has touched, those of a failed attempt when its
    /// pause is over, and of those that were set aside only the ones that a program of an older form did.
    /// </summary>
    /// <param name="before">Only entries that were written before this moment.</param>
    /// <param name="now">The moment of the turn.</param>
    /// <param name="form">The form of entries that the program can read.</param>
    public static BsonDocument Due(BsonValue before, BsonValue now, int form) => new()
    {
        { "createdAt", new BsonDocument("$lt", before) },
        {
            "$or", new BsonArray
            {
                new BsonDocument(Delivery, new BsonDocument("$exists", false)),
                new BsonDocument(FormOfReader, new BsonDocument("$lt", form)),
                new BsonDocument { { NextAttemptAt, new BsonDocument("$lte", now) }, { SetAsideAt, new BsonDocument("$exists", false) } },
            }
        },
    };

    /// <summary>Entries that wait for their turn. One without a date never has one, and is not in the range that the index is read in.</summary>
    public static BsonDocument Waiting() => new()
    {
        { "createdAt", new BsonDocument("$gte", new BsonDateTime(DateTime.UnixEpoch)) },
        { SetAsideAt, new BsonDocument("$exists", false) },
    };
}
