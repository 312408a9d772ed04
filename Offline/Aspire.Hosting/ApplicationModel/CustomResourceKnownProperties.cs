namespace Aspire.Hosting.ApplicationModel;

/// <summary>Names of properties that the dashboard understands on any resource.</summary>
public static class CustomResourceKnownProperties
{
    /// <summary>Where the resource comes from, such as a path.</summary>
    public static string Source => KnownProperties.Resource.Source;

    /// <summary>The connection string (a secret).</summary>
    public static string ConnectionString => KnownProperties.Resource.ConnectionString;
}
