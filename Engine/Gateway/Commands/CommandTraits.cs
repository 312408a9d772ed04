namespace Platform.Gateway.Commands;

/// <summary>How a command may be used.</summary>
[Flags]
internal enum CommandTraits
{
    /// <summary>After login, outside transactions.</summary>
    None = 0,

    /// <summary>Also before login.</summary>
    BeforeLogin = 1,

    /// <summary>Also inside a transaction.</summary>
    InTransaction = 2,

    /// <summary>A write that a client may send again under the same number.</summary>
    RetryableWrite = 4,

    /// <summary>Too frequent and too dull for a span.</summary>
    Quiet = 8,

    /// <summary>Carries a password or a proof: neither the profiler nor a log may keep it.</summary>
    Secret = 16,
}
