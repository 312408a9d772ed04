using MongoDB.Bson;

namespace Platform.Api.Events;

internal static partial class OutboxLog
{
    [LoggerMessage(
        1, LogLevel.Warning, "The events of {Entries} entries, of which {Entry} is the first, are late, and will be delivered from the outbox: {Reason}")]
    public static partial void Late(ILogger logger, int entries, ObjectId entry, string reason);

    [LoggerMessage(2, LogLevel.Information, "Delivered {Entries} entries that were left in the outbox")]
    public static partial void Relayed(ILogger logger, int entries);

    [LoggerMessage(3, LogLevel.Warning, "The outbox could not be worked off, and will be again: {Reason}")]
    public static partial void NotRelayed(ILogger logger, string reason);

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "The outbox entry {Entry} was not delivered by attempt {Attempt}; the next may begin at {Next:u}: {Reason}")]
    public static partial void Failed(ILogger logger, string entry, int attempt, DateTime next, string reason);

    [LoggerMessage(
        5,
        LogLevel.Error,
        "The outbox entry {Entry} was set aside after {Attempts} attempts, until its member delivery is taken off")]
    public static partial void SetAside(ILogger logger, Exception exception, string entry, int attempts);

    [LoggerMessage(6, LogLevel.Error, "The outbox could not be worked off, and will be again")]
    public static partial void Broken(ILogger logger, Exception exception);
}
