namespace Platform.Audit;

/// <summary>Kinds of events that the log itself records.</summary>
public static class AuditTypes
{
    /// <summary>A server began to record.</summary>
    public const string Startup = "startup";

    /// <summary>A server is about to end.</summary>
    public const string Shutdown = "shutdown";

    /// <summary>The log was not as its writer had left it: torn by a crash, cut or changed.</summary>
    public const string Repair = "auditRepair";

    /// <summary>The log could be written again; <c>lost</c> of its parameters says how many events are not in it.</summary>
    public const string Recovered = "auditRecovered";

    /// <summary>A file is removed, as its time is over: <c>upTo</c> and <c>hash</c> of its parameters are its last line's.</summary>
    public const string Expired = "auditExpire";
}
