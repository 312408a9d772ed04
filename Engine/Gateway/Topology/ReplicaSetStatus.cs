using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Topology;

/// <summary>
/// What members and their set are, in the words of the server's replies
/// (https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/).
/// </summary>
internal sealed class ReplicaSetStatus(ReplicaSet replicaSet, MemberState state, IOptions<GatewayOptions> options, TimeProvider time)
{
    private const int HeartbeatMilliseconds = 200;

    private readonly DateTime _started = time.GetUtcNow().UtcDateTime;

    /// <summary>Which election a primary won: it rises with each, so clients know which of two primaries is the later one.</summary>
    public static ObjectId ElectionId(long term)
    {
        var bytes = new byte[12];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes, int.MaxValue);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(4), term);
        return new ObjectId(bytes);
    }

    /// <summary>How new the data of this member is, as <c>hello</c> says it.</summary>
    public BsonDocument LastWrite()
    {
        var own = Written(replicaSet.Self);
        var majority = Committed();
        return new BsonDocument
        {
            { "opTime", OperationTime(own) }, { "lastWriteDate", new BsonDateTime(own) }, { "majorityOpTime", OperationTime(majority) },
            { "majorityWriteDate", new BsonDateTime(majority) },
        };
    }

    /// <summary>The section <c>repl</c> of <c>serverStatus</c>.</summary>
    public BsonDocument Section()
    {
        var primary = replicaSet.Primary;
        var section = new BsonDocument
        {
            { "topologyVersion", new BsonDocument { { "processId", state.ProcessId }, { "counter", state.Version } } },
            { "hosts", new BsonArray(replicaSet.Members.Select(m => m.Host)) },
            { "setName", replicaSet.Name },
            { "setVersion", replicaSet.Version },
            { "isWritablePrimary", primary == replicaSet.Self },
            { "secondary", state.IsSecondary },
        };
        if (primary is not null)
        {
            section.Add("primary", primary.Host);
        }

        section.Add("me", replicaSet.Self.Host);
        if (primary == replicaSet.Self)
        {
            section.Add("electionId", ElectionId(replicaSet.Term));
        }

        return section.Add("lastWrite", LastWrite()).Add("primaryOnlyServices", new BsonDocument());
    }

    /// <summary>The reply to <c>replSetGetStatus</c>.</summary>
    public BsonDocument Status()
    {
        var source = Source(replicaSet.Self);
        var (own, committed) = (Written(replicaSet.Self), Committed());
        return new BsonDocument
        {
            { "set", replicaSet.Name },
            { "date", new BsonDateTime(Now()) },
            { "myState", (int)state.Role },
            { "term", replicaSet.Term },
            { "syncSourceHost", source?.Host ?? "" },
            { "syncSourceId", source?.Id ?? -1 },
            { "heartbeatIntervalMillis", (long)HeartbeatMilliseconds },
            { "majorityVoteCount", replicaSet.Majority },
            { "writeMajorityCount", replicaSet.Majority },
            { "votingMembersCount", replicaSet.Members.Count },
            { "writableVotingMembersCount", replicaSet.Members.Count },
            {
                "optimes", new BsonDocument
                {
                    { "lastCommittedOpTime", OperationTime(committed) }, { "lastCommittedWallTime", new BsonDateTime(committed) },
                    { "readConcernMajorityOpTime", OperationTime(committed) }, { "appliedOpTime", OperationTime(own) },
                    { "durableOpTime", OperationTime(own) }, { "lastAppliedWallTime", new BsonDateTime(own) },
                    { "lastDurableWallTime", new BsonDateTime(own) },
                }
            },
            { "members", new BsonArray(replicaSet.Members.Select(StatusOf)) },
        };
    }

    /// <summary>The configuration of the set, as <c>replSetGetConfig</c> gives it and <c>local.system.replset</c> holds it.</summary>
    public BsonDocument Configuration() => new()
    {
        { "_id", replicaSet.Name },
        { "version", replicaSet.Version },
        { "term", replicaSet.Term },
        {
            "members", new BsonArray(replicaSet.Members.Select(m => new BsonDocument
            {
                { "_id", m.Id }, { "host", m.Host }, { "arbiterOnly", false }, { "buildIndexes", true }, { "hidden", false }, { "priority", 1.0 },
                { "tags", new BsonDocument() }, { "secondaryDelaySecs", 0L }, { "votes", 1 },
            }))
        },
        { "protocolVersion", 1L },
        { "writeConcernMajorityJournalDefault", true },
        {
            "settings", new BsonDocument
            {
                { "chainingAllowed", false }, { "heartbeatIntervalMillis", HeartbeatMilliseconds },
                { "heartbeatTimeoutSecs", options.Value.ElectionTimeout.TotalSeconds },
                { "electionTimeoutMillis", (int)options.Value.ElectionTimeout.TotalMilliseconds },
                { "getLastErrorModes", new BsonDocument() }, { "getLastErrorDefaults", new BsonDocument { { "w", 1 }, { "wtimeout", 0 } } },
            }
        },
    };

    private BsonDocument StatusOf(Member member)
    {
        var (self, status, role) = (member == replicaSet.Self, member.Status, replicaSet.RoleOf(member));
        var isUp = self || status.IsReachable;
        var written = isUp ? Written(member) : DateTime.UnixEpoch;
        var source = isUp ? Source(member) : null;
        var started = self ? _started : status.Started;
        var reply = new BsonDocument
        {
            { "_id", member.Id },
            { "name", member.Host },
            { "health", isUp ? 1.0 : 0.0 },
            { "state", (int)role },
            { "stateStr", role == MemberRole.Down ? "(not reachable/healthy)" : role.ToString().ToUpperInvariant() },
            { "uptime", isUp ? (int)Math.Max(0, (Now() - started).TotalSeconds) : 0 },
            { "optime", OperationTime(written, isUp && !self && options.Value.IsManaged ? status.LastTerm : replicaSet.Term) },
            { "optimeDate", new BsonDateTime(written) },
            { "lastAppliedWallTime", new BsonDateTime(written) },
            { "lastDurableWallTime", new BsonDateTime(written) },
        };
        if (!self)
        {
            reply.Add("lastHeartbeat", new BsonDateTime(status.Heard ?? DateTime.UnixEpoch));
            reply.Add("lastHeartbeatRecv", new BsonDateTime(status.Heard ?? DateTime.UnixEpoch));
            reply.Add("pingMs", (long)status.Ping.TotalMilliseconds);
            reply.Add("lastHeartbeatMessage", status.Trouble);
        }

        reply.Add("syncSourceHost", source?.Host ?? "").Add("syncSourceId", source?.Id ?? -1).Add("infoMessage", "");
        if (role == MemberRole.Primary)
        {
            reply.Add("electionTime", new BsonTimestamp(Seconds(state.Since), 1)).Add("electionDate", new BsonDateTime(state.Since));
        }

        reply.Add("configVersion", replicaSet.Version).Add("configTerm", replicaSet.Term);
        return self ? reply.Add("self", true) : reply;
    }

    private Member? Source(Member member) => replicaSet.Members.FirstOrDefault(m => m.Number == member.Status.Source && m != member);

    private DateTime Written(Member member) => options.Value.IsManaged ? member.Status.LastWrite : Now();

    /// <summary>Until when a majority has everything.</summary>
    private DateTime Committed() => replicaSet.Members.Select(Written).OrderDescending().ElementAt(replicaSet.Majority - 1);

    private BsonDocument OperationTime(DateTime written, long? term = null) =>
        new() { { "ts", new BsonTimestamp(Seconds(written), 1) }, { "t", term ?? replicaSet.Term } };

    private static int Seconds(DateTime at) => (int)(at - DateTime.UnixEpoch).TotalSeconds;

    private DateTime Now() => time.GetUtcNow().UtcDateTime;
}
