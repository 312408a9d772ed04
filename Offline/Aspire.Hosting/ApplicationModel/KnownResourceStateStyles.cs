namespace Aspire.Hosting.ApplicationModel;

/// <summary>The styles in which a state can be shown.</summary>
public static class KnownResourceStateStyles
{
    /// <summary>All is well.</summary>
    public static readonly string Success = "success";

    /// <summary>Something failed.</summary>
    public static readonly string Error = "error";

    /// <summary>Something to know.</summary>
    public static readonly string Info = "info";

    /// <summary>Something to look after.</summary>
    public static readonly string Warn = "warning";
}
