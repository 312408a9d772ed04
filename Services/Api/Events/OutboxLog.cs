using MongoDB.Bson;

namespace Platform.Api.Events;

internal static partial class OutboxLog
{
    [LoggerMessage(1, LogLevel.Warning, "The events of {Entry} are late, and will be delivered from the outbox: {Reason}")]
    public static partial void Late(ILogger logger, ObjectId entry, string reason);

    [LoggerMessage(2, LogLevel.Information, "Delivered {Entries} entries that were left in the outbox")]
    public static partial void Relayed(ILogger logger, int entries);

    [LoggerMessage(3, LogLevel.Warning, "The outbox could not be worked off, and will be again: {Reason}")]
    public static partial void NotRelayed(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Error, "The events of {Entry} break rules of their collections, so the entry stays in the outbox")]
    public static partial void Refused(ILogger logger, Exception exception, ObjectId entry);
}
