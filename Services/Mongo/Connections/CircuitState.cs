namespace Platform.Mongo.Connections;

/// <summary>Whether a <see cref="CircuitBreaker"/> lets calls through.</summary>
public enum CircuitState
{
    /// <summary>All are let through.</summary>
    Closed,

    /// <summary>One is let through to try, and decides.</summary>
    HalfOpen,

    /// <summary>None is let through for a while.</summary>
    Open,
}
