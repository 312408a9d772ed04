using System.ComponentModel.DataAnnotations;

namespace Platform.Mongo.Connections;

/// <summary>The readiness check of MongoDB. Configuration section <c>Mongo:Health</c>.</summary>
public sealed class MongoHealthOptions
{
    /// <summary>How long the primary may take to answer a ping. Below the 5 s in which a service must answer a probe. Default: 2 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How far a secondary may be behind the primary before the service counts as degraded. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan MaxReplicationLag { get; set; } = TimeSpan.FromSeconds(30);
}
