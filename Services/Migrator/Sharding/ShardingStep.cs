using MongoDB.Bson;
using MongoDB.Bson.IO;

namespace Platform.Migrator.Sharding;

/// <summary>One command that brings a cluster nearer to what is declared.</summary>
/// <param name="Kind">What kind.</param>
/// <param name="Subject">What it is about: a collection, a shard, a tenant.</param>
/// <param name="On">The database that the command is for.</param>
/// <param name="Command">The command.</param>
/// <param name="Reason">Why, in a sentence.</param>
internal sealed record ShardingStep(ShardingStepKind Kind, string Subject, string On, BsonDocument Command, string Reason)
{
    private static readonly JsonWriterSettings s_shell = new() { OutputMode = JsonOutputMode.Shell };

    /// <summary>Whether it moves data that was placed on purpose, so that it is sent with <c>--allow-moves</c> only. Default: false.</summary>
    public bool NeedsPermission { get; init; }

    /// <summary>The command as one would type it into mongosh.</summary>
    public string Shell()
    {
        // The driver writes the smallest and the largest key as an older shell had them.
        var json = Command.ToJson(s_shell).Replace(" : MinKey", " : MinKey()", StringComparison.Ordinal)
            .Replace(" : MaxKey", " : MaxKey()", StringComparison.Ordinal);
        return On == "admin" ? $"db.adminCommand({json})" : $"db.getSiblingDB(\"{On}\").runCommand({json})";
    }
}

/// <summary>The kinds of steps.</summary>
internal enum ShardingStepKind
{
    /// <summary>The balancer stops.</summary>
    BalancerStop,

    /// <summary>The cluster learns of the database.</summary>
    Database,

    /// <summary>A shard comes to belong to a zone.</summary>
    ShardZone,

    /// <summary>A collection gets the index that its shard key needs.</summary>
    Index,

    /// <summary>A collection is sharded.</summary>
    Shard,

    /// <summary>A collection gets another shard key.</summary>
    Reshard,

    /// <summary>The ranges of a collection get another size.</summary>
    RangeSize,

    /// <summary>Documents of a tenant do not belong to a zone any more.</summary>
    ZoneRangeRemoval,

    /// <summary>Documents of a tenant come to belong to a zone.</summary>
    ZoneRange,

    /// <summary>The balancer may work at other times.</summary>
    Window,

    /// <summary>The balancer starts.</summary>
    BalancerStart,
}
