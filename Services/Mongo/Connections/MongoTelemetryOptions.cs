using System.ComponentModel.DataAnnotations;

namespace Platform.Mongo.Connections;

/// <summary>What is recorded of the traffic with MongoDB; section <c>MongoTelemetry</c>.</summary>
public sealed class MongoTelemetryOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "MongoTelemetry";

    /// <summary>
    /// Commands that take this long or longer are logged with the shape of their statement. Default 100 ms, which is also the
    /// server's own threshold; zero turns the log off.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan SlowCommandThreshold { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Whether single commands are observed: <c>db.client.operation.duration</c> and the log of slow commands. Default true.
    /// Off, the driver does not even prepare the events; metrics of connections stay.
    /// </summary>
    public bool Commands { get; set; } = true;
}
