namespace Aspire.MongoDB.Driver;

/// <summary>
/// Settings of a MongoDB client. Read from the configuration section <c>Aspire:MongoDB:Driver</c>, then from
/// <c>Aspire:MongoDB:Driver:NAME</c>; <c>ConnectionStrings:NAME</c> wins over both.
/// </summary>
public sealed class MongoDBSettings
{
    /// <summary>The connection string.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/connection-string/"/></remarks>
    public string? ConnectionString { get; set; }

    /// <summary>Whether no health check is registered. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>After how many milliseconds the health check counts as failed. Default: null, no limit of its own.</summary>
    public int? HealthCheckTimeout { get; set; }

    /// <summary>Whether this registration leaves the driver's spans alone. Default: false.</summary>
    public bool DisableTracing { get; set; }
}
