using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Replication;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Causality;

/// <summary>Tells another member how far this primary's log goes, and what time it is here.</summary>
internal sealed class LogPosition(MemberState state, BackendPool pool, LogicalClock clock) : IMessageHandler
{
    /// <summary>The name of the message; its value is the term that whoever asks knows of.</summary>
    public const string MessageName = "replSetGetLogPosition";

    /// <inheritdoc />
    public string Name => MessageName;

    /// <inheritdoc />
    public async ValueTask<BsonDocument> AnswerAsync(BsonDocument message, CancellationToken cancellationToken)
    {
        var asked = message[0].ToInt64();
        if (!state.IsPrimary || state.Term < asked)
        {
            return new BsonDocument { { "ok", 0 }, { "errmsg", "This member is not the primary." } };
        }

        await using var lease = await pool.RentAsync(null, BackendShare.Gateway, cancellationToken);
        var position = await lease.Connection.Command(Statements.FlushedTo).SingleAsync<long>(cancellationToken);
        return new BsonDocument { { "ok", 1 }, { "position", position }, { "time", new BsonTimestamp(clock.Now()) } };
    }
}
