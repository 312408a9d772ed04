using MongoDB.Bson;

namespace Platform.Gateway.Replication;

/// <summary>Answers the messages of one name that come from the gateways of other members.</summary>
internal interface IMessageHandler
{
    /// <summary>The name: the first field of such a message.</summary>
    string Name { get; }

    /// <summary>The answer.</summary>
    ValueTask<BsonDocument> AnswerAsync(BsonDocument message, CancellationToken cancellationToken);
}
