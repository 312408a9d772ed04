using Microsoft.Extensions.Logging;

namespace Platform.Mongo.Leases;

internal static partial class LeaseLog
{
    [LoggerMessage(1, LogLevel.Information, "Waiting for the lease {Name}, held by {Holder}")]
    public static partial void Waiting(ILogger logger, string name, string? holder);

    [LoggerMessage(2, LogLevel.Information, "Took the lease {Name} with fencing number {Fence}")]
    public static partial void Acquired(ILogger logger, string name, long fence);

    [LoggerMessage(3, LogLevel.Warning, "The lease {Name} could not be renewed; trying again until it ends")]
    public static partial void RenewalFailed(ILogger logger, Exception exception, string name);

    [LoggerMessage(4, LogLevel.Error, "The lease {Name} with fencing number {Fence} is lost")]
    public static partial void Lost(ILogger logger, string name, long fence);

    [LoggerMessage(5, LogLevel.Warning, "The lease {Name} could not be given back; it ends by itself")]
    public static partial void ReleaseFailed(ILogger logger, Exception exception, string name);

    [LoggerMessage(6, LogLevel.Warning, "The lease {Name} was granted, but the answer was {Seconds:0.#} s on the way, so the lease may be another's by now; "
        + "asking again")]
    public static partial void Late(ILogger logger, string name, double seconds);
}
