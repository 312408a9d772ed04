using Microsoft.Extensions.Options;

namespace Platform.Api.Callers;

/// <summary>Finds settings by which the API would answer nobody, or more than it should: the start ends with a sentence on each.</summary>
internal sealed class ApiOptionsValidator(IConfiguration configuration, IHostEnvironment environment) : IValidateOptions<ApiOptions>
{
    // The framework's own switch, which ASPNETCORE_FORWARDEDHEADERS_ENABLED sets.
    private const string TrustEverybody = "ForwardedHeaders_Enabled";

    public ValidateOptionsResult Validate(string? name, ApiOptions options)
    {
        var mistakes = Authentication(options.Authentication).Concat(Proxies(options)).Concat(Addresses(options)).ToList();
        return mistakes.Count > 0 ? ValidateOptionsResult.Fail(mistakes) : ValidateOptionsResult.Success;
    }

    private IEnumerable<string> Authentication(AuthenticationSettings settings) => settings.ModeIn(environment) switch
    {
        null =>
        [
            $"{AuthenticationSettings.Section} is not set, without which the API starts in Development alone: set {Key(nameof(settings.Authority))} and "
                + $"{nameof(settings.Audience)} to the issuer of the callers' tokens, or {Key(nameof(settings.Mode))} to {AuthenticationMode.Gateway} when a "
                + "gateway in front of the API lets nobody else through.",
        ],
        AuthenticationMode.Token => Tokens(settings),
        AuthenticationMode.Open when !environment.IsDevelopment() =>
            [$"{Key(nameof(settings.Mode))} is {AuthenticationMode.Open}, which is for Development; this is {environment.EnvironmentName}."],
        var mode => OnlyForTokens(settings).Select(setting => $"{Key(nameof(settings.Mode))} is {mode}, but {setting} is set, which is for tokens."),
    };

    private static IEnumerable<string> Tokens(AuthenticationSettings settings)
    {
        var (byAuthority, byFile) = (!string.IsNullOrWhiteSpace(settings.Authority), !string.IsNullOrWhiteSpace(settings.KeysFile));
        if (byAuthority == byFile)
        {
            yield return $"{Key(nameof(settings.Authority))} and {nameof(settings.KeysFile)} are {(byFile ? "both set" : "empty")}, but tokens are checked "
                + "with the keys of exactly one of them.";
        }
        else if (byAuthority && !IsAddress(settings.Authority!))
        {
            // Not shown: somebody may have written a password into it.
            yield return $"{Key(nameof(settings.Authority))} must be the address of the issuer, such as https://login.example.com/shop; http is for loopback.";
        }
        else if (byFile && KeyFile.Mistake(settings.KeysFile!) is { } mistake)
        {
            yield return $"{Key(nameof(settings.KeysFile))}: {mistake}";
        }

        if (byFile && string.IsNullOrWhiteSpace(settings.Issuer))
        {
            yield return $"{Key(nameof(settings.Issuer))} is empty, but must be what tokens name as their issuer (iss).";
        }

        if (string.IsNullOrWhiteSpace(settings.Audience))
        {
            yield return $"{Key(nameof(settings.Audience))} is empty, but must be what tokens for this API name as their audience (aud).";
        }

        // By a claim without a name, an administrator of one tenant would be one of all.
        if (string.IsNullOrWhiteSpace(settings.TenantClaim) || string.IsNullOrWhiteSpace(settings.RolesClaim))
        {
            yield return $"{Key(nameof(settings.TenantClaim))} and {nameof(settings.RolesClaim)} must be names of claims, but one is empty.";
        }
        else if (settings.TenantClaim == settings.RolesClaim)
        {
            yield return $"{Key(nameof(settings.TenantClaim))} and {nameof(settings.RolesClaim)} are both {settings.TenantClaim}, but must differ.";
        }
    }

    private static IEnumerable<string> OnlyForTokens(AuthenticationSettings settings) =>
        from setting in new (string Name, string? Value)[]
        {
            (nameof(settings.Authority), settings.Authority), (nameof(settings.KeysFile), settings.KeysFile),
            (nameof(settings.Issuer), settings.Issuer), (nameof(settings.Audience), settings.Audience),
        }
        where !string.IsNullOrWhiteSpace(setting.Value)
        select setting.Name;

    private IEnumerable<string> Proxies(ApiOptions options)
    {
        const string key = $"{ApiOptions.Section}:{nameof(options.Proxies)}";
        if (string.Equals(configuration[TrustEverybody], "true", StringComparison.OrdinalIgnoreCase))
        {
            yield return $"ASPNETCORE_FORWARDEDHEADERS_ENABLED lets every client choose its address; name the proxies in {key} instead.";
        }

        if (AddressRange.ListOf(options.Proxies) is not { } networks)
        {
            yield return $"{key} must be addresses and networks separated by semicolons, such as 10.0.0.7;10.1.0.0/16.";
        }
        else if (networks.Any(network => network.PrefixLength == 0))
        {
            yield return $"{key} has a network of all addresses, with which every client would choose its own.";
        }
    }

    private static IEnumerable<string> Addresses(ApiOptions options)
    {
        if (AddressRange.ListOf(options.AllowedAddresses) is null)
        {
            yield return $"{ApiOptions.Section}:{nameof(options.AllowedAddresses)} must be addresses and networks separated by semicolons, such as "
                + "10.0.0.7;10.1.0.0/16.";
        }
    }

    private static bool IsAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)
        && address is { UserInfo: "", Query: "", Fragment: "" };

    private static string Key(string setting) => $"{AuthenticationSettings.Section}:{setting}";
}
