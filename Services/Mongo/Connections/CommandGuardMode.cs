namespace Platform.Mongo.Connections;

/// <summary>What becomes of commands that a guard objects to.</summary>
public enum CommandGuardMode
{
    /// <summary>Nobody looks at them.</summary>
    Off,

    /// <summary>They are sent, counted, and each kind is logged once.</summary>
    Count,

    /// <summary>They are not sent: the caller gets an <see cref="UntargetedCommandException"/>.</summary>
    Refuse,
}
