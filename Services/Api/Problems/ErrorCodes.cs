namespace Platform.Api.Problems;

/// <summary>
/// The codes of errors that are no broken rules of documents; those are <see cref="Data.Rules.RuleCodes"/>.
/// </summary>
public static class ErrorCodes
{
    /// <summary>The body is not JSON.</summary>
    public const string Json = "json";

    /// <summary>The body is said to be of another type than JSON.</summary>
    public const string MediaType = "mediaType";

    /// <summary>The body is said to be in another charset than UTF-8.</summary>
    public const string Charset = "charset";

    /// <summary>The body is said to be compressed, or encoded otherwise.</summary>
    public const string Encoding = "encoding";

    /// <summary>A text is blank.</summary>
    public const string Blank = "blank";

    /// <summary>A text has characters that it cannot have.</summary>
    public const string Characters = "characters";

    /// <summary>Two limits contradict each other.</summary>
    public const string Contradiction = "contradiction";

    /// <summary>A cursor does not belong to the list.</summary>
    public const string Cursor = "cursor";

    /// <summary>What is named does not exist for the tenant.</summary>
    public const string Unknown = "unknown";

    /// <summary>The store does not sell.</summary>
    public const string Closed = "closed";

    /// <summary>A price is in another currency than the tenant's.</summary>
    public const string Currency = "currency";

    /// <summary>A price has more decimals than its currency.</summary>
    public const string Amount = "amount";

    /// <summary>The stock is short.</summary>
    public const string Short = "short";

    /// <summary>An idempotency key stands for another request.</summary>
    public const string Reused = "reused";
}
