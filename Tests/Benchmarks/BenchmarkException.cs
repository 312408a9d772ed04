namespace Platform.Benchmarks;

/// <summary>A benchmark cannot run; the message is one sentence for a person.</summary>
public sealed class BenchmarkException : Exception
{
    /// <summary>A benchmark cannot run.</summary>
    public BenchmarkException(string message)
        : base(message)
    {
    }
}
