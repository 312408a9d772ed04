using System.ComponentModel.DataAnnotations;

namespace Platform.Api.Callers;

/// <summary>How callers show who they are, and where tokens say it. Configuration section <c>Api:Authentication</c>.</summary>
public sealed class AuthenticationSettings
{
    /// <summary>The configuration section, for sentences.</summary>
    public const string Section = $"{ApiOptions.Section}:Authentication";

    /// <summary>
    /// How. Default: by tokens when <see cref="Authority"/> or <see cref="KeysFile"/> is set; otherwise in Development not at all, and elsewhere
    /// the API does not start.
    /// </summary>
    public AuthenticationMode? Mode { get; set; }

    /// <summary>
    /// The issuer of the tokens, whose keys are read from its discovery document (<c>/.well-known/openid-configuration</c>) and again when they change: an
    /// address that begins with <c>https</c>, or with <c>http</c> on loopback.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>
    /// A file with the public keys of the issuer, as a JSON Web Key Set (<see href="https://www.rfc-editor.org/rfc/rfc7517"/>), where no issuer can be asked.
    /// It is read again within half a minute when it changes.
    /// </summary>
    public string? KeysFile { get; set; }

    /// <summary>What tokens name as their issuer (<c>iss</c>). Default: what the discovery document says; needed with <see cref="KeysFile"/>.</summary>
    public string? Issuer { get; set; }

    /// <summary>What tokens for this API name as their audience (<c>aud</c>); needed for tokens.</summary>
    public string? Audience { get; set; }

    /// <summary>The claim with the slug of the tenant that the caller belongs to. Default: <c>tenant</c>.</summary>
    [RegularExpression("[!-~]{1,100}")]
    public string TenantClaim { get; set; } = "tenant";

    /// <summary>The claim with the caller's roles: a text, or a list of texts. Default: <c>roles</c>.</summary>
    [RegularExpression("[!-~]{1,100}")]
    public string RolesClaim { get; set; } = "roles";

    /// <summary>How far the issuer's clock may be from this machine's. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What follows from the settings and the environment; null when nothing was said where something has to be.</summary>
    /// <param name="environment">The environment.</param>
    internal AuthenticationMode? ModeIn(IHostEnvironment environment) => Mode
        ?? (!string.IsNullOrWhiteSpace(Authority) || !string.IsNullOrWhiteSpace(KeysFile) ? AuthenticationMode.Token
            : environment.IsDevelopment() ? AuthenticationMode.Open
            : null);
}
