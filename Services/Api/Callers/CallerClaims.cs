using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Platform.Api.Callers;

/// <summary>
/// Reads who a caller is from a token whose signature is right. The payload is read again, strictly: the library takes the last of two members of one name, and
/// makes a list of one entry and a number the same as a text, so that issuer and API could mean different tenants.
/// </summary>
internal static class CallerClaims
{
    // https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
    private const string Critical = "crit";

    private const int MaxText = 255;
    private const int MaxRoles = 100;

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>The caller; null when the token does not say it as it has to.</summary>
    /// <param name="token">The token.</param>
    /// <param name="settings">The names of the claims.</param>
    public static Caller? Read(JsonWebToken token, AuthenticationSettings settings)
    {
        // Who made it says that it is to be refused by whoever does not understand this, and the library does not look.
        if (token.TryGetHeaderValue<object>(Critical, out _))
        {
            return null;
        }

        try
        {
            using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload), s_strict);
            return Read(payload.RootElement, settings);
        }
        catch (Exception failure) when (failure is JsonException or FormatException)
        {
            return null;
        }
    }

    private static Caller? Read(JsonElement payload, AuthenticationSettings settings)
    {
        if (!payload.TryGetProperty(JwtRegisteredClaimNames.Sub, out var sub) || TextOf(sub) is not { } subject
            || !payload.TryGetProperty(settings.RolesClaim, out var claim) || RolesOf(claim) is not { } roles)
        {
            return null;
        }

        if (!payload.TryGetProperty(settings.TenantClaim, out var tenant))
        {
            // Only who administers all tenants belongs to none.
            return roles.Contains(Roles.Admin) ? new Caller(subject, Tenant: null, roles) : null;
        }

        return TextOf(tenant) is { } slug ? new Caller(subject, slug, roles) : null;
    }

    private static HashSet<string>? RolesOf(JsonElement claim)
    {
        if (claim.ValueKind == JsonValueKind.String)
        {
            return TextOf(claim) is { } role ? [role] : null;
        }

        if (claim.ValueKind != JsonValueKind.Array || claim.GetArrayLength() > MaxRoles)
        {
            return null;
        }

        var roles = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in claim.EnumerateArray())
        {
            if (TextOf(entry) is not { } role)
            {
                return null;
            }

            roles.Add(role);
        }

        return roles;
    }

    private static string? TextOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return value.GetString() is { Length: > 0 and <= MaxText } text ? text : null;
        }
        catch (InvalidOperationException)
        {
            // One half of a surrogate pair.
            return null;
        }
    }
}
