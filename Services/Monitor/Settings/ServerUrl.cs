using System.Net.Http.Headers;
using System.Text;

namespace Platform.Monitor.Settings;

/// <summary>The URL of a server with the login in it, which goes into a header: it is in no log of requests.</summary>
internal static class ServerUrl
{
    /// <summary>Whether it is one.</summary>
    public static bool IsValid(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri is { Host.Length: > 0, Query: "", Fragment: "" };

    /// <summary>A client of the server.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="handler">What sends.</param>
    /// <param name="timeout">How long an answer may take.</param>
    public static HttpClient ClientOf(string url, HttpMessageHandler handler, TimeSpan timeout)
    {
        var uri = new Uri(url);
        var client = new HttpClient(handler)
        {
            BaseAddress = new UriBuilder(uri) { UserName = "", Password = "", Path = uri.AbsolutePath.TrimEnd('/') + "/" }.Uri,
            Timeout = timeout,
            MaxResponseContentBufferSize = 16 * 1024 * 1024,
        };
        if (uri.UserInfo.Length > 0)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(uri.UserInfo))));
        }

        return client;
    }
}
