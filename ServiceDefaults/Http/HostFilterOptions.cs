using Microsoft.Extensions.Configuration;

namespace Platform.ServiceDefaults.Http;

/// <summary>The hosts that a service answers to. Configuration key <c>AllowedHosts</c>, separated by semicolons as in all of ASP.NET Core.</summary>
public sealed class HostFilterOptions
{
    /// <summary>The configuration key.</summary>
    public const string Key = SettingNames.AllowedHosts;

    /// <summary>Host names and addresses without a port, or <c>*.example.com</c> for everything below it; <c>*</c> for any. Default: loopback.</summary>
    public IReadOnlyList<string> Hosts { get; private set; } = ["localhost", "127.0.0.1", "[::1]"];

    internal bool AllowsAll => Hosts.Contains("*");

    internal void Read(IConfiguration configuration)
    {
        // Blank is as good as not set: nobody wants a service that answers to nobody.
        if (configuration[Key] is { } text && !string.IsNullOrWhiteSpace(text))
        {
            Hosts = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
    }

    // A scheme, a port or a path would never match and nobody would see why.
    internal bool IsValid() => Hosts.Count > 0 && Hosts.All(IsHost);

    private static bool IsHost(string pattern) => pattern == "*"
        || Uri.CheckHostName(pattern.StartsWith("*.", StringComparison.Ordinal) ? pattern[2..] : pattern.TrimStart('[').TrimEnd(']')) != UriHostNameType.Unknown
            && pattern.Contains(':', StringComparison.Ordinal) == pattern.StartsWith('[');
}
