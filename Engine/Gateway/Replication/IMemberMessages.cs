using MongoDB.Bson;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Replication;

/// <summary>Talks with the gateways of the other members.</summary>
internal interface IMemberMessages
{
    /// <summary>
    /// Sends one message, whose first field names it, and returns the answer. Throws <see cref="MemberUnreachableException"/> when there
    /// is none: the gateway is not there, or ended before it answered, or did not understand.
    /// </summary>
    ValueTask<BsonDocument> AskAsync(Member member, BsonDocument message, CancellationToken cancellationToken);
}
