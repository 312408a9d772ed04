using System.Globalization;
using System.Net;

namespace Aspire.Hosting.Dashboard;

/// <summary>An address to listen on; port 0: any free one.</summary>
internal sealed record BindAddress(string Scheme, string Host, int Port)
{
    public static readonly BindAddress AnyLoopbackPort = new("http", "localhost", 0);

    public bool IsLoopback
        => Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    public static BindAddress Parse(string setting, string url)
        => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? new BindAddress(uri.Scheme, uri.Host.Trim('[', ']'), uri.Port)
            : throw new DistributedApplicationException($"{setting} has the value '{url}', which is not an http or https URL.");

    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"{Scheme}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}");
}
