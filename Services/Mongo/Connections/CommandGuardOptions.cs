namespace Platform.Mongo.Connections;

/// <summary>What becomes of commands that a sharded cluster would send to all of its shards; section <c>MongoGuard</c>.</summary>
public sealed class CommandGuardOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "MongoGuard";

    /// <summary>What becomes of them. Default: off.</summary>
    public CommandGuardMode Mode { get; set; }
}
