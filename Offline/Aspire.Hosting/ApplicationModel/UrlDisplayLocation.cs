namespace Aspire.Hosting.ApplicationModel;

/// <summary>Where a URL is shown.</summary>
public enum UrlDisplayLocation
{
    /// <summary>In the list and in the details.</summary>
    SummaryAndDetails = 0,

    /// <summary>In the details only.</summary>
    DetailsOnly = 1,
}
