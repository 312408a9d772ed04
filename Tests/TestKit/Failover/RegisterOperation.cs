namespace Platform.Tests.TestKit.Failover;

/// <summary>What a client did with a register: one value, at one key.</summary>
/// <param name="Key">The register.</param>
/// <param name="IsWrite">Whether it wrote or read.</param>
/// <param name="Value">What it wrote or read. Each write has a value of its own, and 0 is what is there at the beginning.</param>
/// <param name="Start">When it was sent, on a clock that all clients share.</param>
/// <param name="Finish">When its answer was there; <see cref="Never"/> for a write whose outcome is unknown: it may come about at any time, or not.</param>
internal readonly record struct RegisterOperation(string Key, bool IsWrite, long Value, long Start, long Finish)
{
    /// <summary>No answer came.</summary>
    public const long Never = long.MaxValue;

    /// <summary>What a register holds before anybody wrote.</summary>
    public const long Initial = 0;

    /// <summary>What a client reads that finds no register any more; nobody ever writes it.</summary>
    public const long Missing = -1;
}
