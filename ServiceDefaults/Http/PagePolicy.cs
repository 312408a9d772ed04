namespace Platform.ServiceDefaults.Http;

/// <summary>Metadata of an endpoint that answers with a page for a browser: what that page may load and do.</summary>
/// <param name="ContentSecurityPolicy">
/// The value of the header <c>Content-Security-Policy</c>. <see href="https://www.w3.org/TR/CSP3/"/>
/// </param>
public sealed record PagePolicy(string ContentSecurityPolicy);
