namespace Platform.Audit;

/// <summary>The audit log cannot be opened or written; the message is a sentence for a person.</summary>
public sealed class AuditUnavailableException : Exception
{
    /// <summary>For a reason.</summary>
    /// <param name="message">The sentence.</param>
    /// <param name="inner">What it comes from.</param>
    public AuditUnavailableException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
