namespace Platform.ServiceDefaults;

/// <summary>The sources of spans and the meters that services listen to. A name that ends in <c>*</c> matches by prefix.</summary>
public static class TelemetryNames
{
    /// <summary>
    /// Names of activity sources: our own, the caches' of what they ask Redis, and the MongoDB driver's (<c>MongoTelemetry.ActivitySourceName</c>).
    /// </summary>
    public static readonly string[] Sources = ["Platform.*", "MongoDB.Driver", "ZiggyCreatures.Caching.Fusion.Distributed"];

    /// <summary>Names of meters: our own, the caches', those of the resilience pipelines, and who was let in.</summary>
    public static readonly string[] Meters =
        ["Platform.*", "Polly", "ZiggyCreatures.Caching.Fusion*", "Microsoft.AspNetCore.Authentication", "Microsoft.AspNetCore.Authorization"];
}
