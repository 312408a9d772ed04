namespace Platform.Tests.TestKit.Http;

/// <summary>The API's settings for those who load it on purpose: limits that no test reaches.</summary>
public static class NoRateLimits
{
    /// <summary>The settings, by their keys of the configuration.</summary>
    public static IReadOnlyDictionary<string, string> Settings { get; } = new Dictionary<string, string>
    {
        ["RateLimits:Client:PerSecond"] = "1000000",
        ["RateLimits:Client:Burst"] = "1000000",
        ["RateLimits:Tenant:PerSecond"] = "1000000",
        ["RateLimits:Tenant:Burst"] = "1000000",
    };

    /// <summary>The same, as environment variables.</summary>
    public static IReadOnlyDictionary<string, string?> Variables { get; } =
        Settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => (string?)setting.Value);
}
