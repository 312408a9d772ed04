using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace Platform.Tests.TestKit.Http;

/// <summary>
/// Makes tokens as an issuer does, and as somebody does who wants to be taken for one: header, payload and signature are whatever a test says.
/// </summary>
public sealed class TokenIssuer : IDisposable
{
    /// <summary>What tokens name as their issuer.</summary>
    public const string Issuer = "https://login.example.com/shop";

    /// <summary>What tokens for the API name as their audience.</summary>
    public const string Audience = "https://shop.example.com";

    /// <summary>The name of the key of the elliptic curve P-256, with which tokens are signed unless a test says otherwise.</summary>
    public const string CurveKey = "curve";

    /// <summary>The name of the RSA key.</summary>
    public const string RsaKey = "rsa";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("tokens-");

    /// <summary>Makes the keys and the file of their public halves.</summary>
    public TokenIssuer()
    {
        KeysFile = Path.Combine(_directory.FullName, "keys.json");
        File.WriteAllText(KeysFile, KeySet());
    }

    /// <summary>The RSA key.</summary>
    public RSA Rsa { get; } = RSA.Create(2048);

    /// <summary>The key of the curve.</summary>
    public ECDsa Curve { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The public keys, as a JSON Web Key Set.</summary>
    public string KeysFile { get; }

    /// <summary>The API's settings, by their keys of the configuration.</summary>
    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["Api:Authentication:Mode"] = "Token",
        ["Api:Authentication:KeysFile"] = KeysFile,
        ["Api:Authentication:Issuer"] = Issuer,
        ["Api:Authentication:Audience"] = Audience,
    };

    /// <summary>The same, as environment variables.</summary>
    public IReadOnlyDictionary<string, string?> Variables =>
        Settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => (string?)setting.Value);

    /// <summary>The public keys.</summary>
    public string KeySet()
    {
        var (rsa, curve) = (Rsa.ExportParameters(includePrivateParameters: false), Curve.ExportParameters(includePrivateParameters: false));
        return JsonSerializer.Serialize(new
        {
            keys = new object[]
            {
                new { kty = "RSA", use = "sig", kid = RsaKey, n = Base64UrlEncoder.Encode(rsa.Modulus!), e = Base64UrlEncoder.Encode(rsa.Exponent!) },
                new
                {
                    kty = "EC", use = "sig", kid = CurveKey, crv = "P-256", x = Base64UrlEncoder.Encode(curve.Q.X!), y = Base64UrlEncoder.Encode(curve.Q.Y!),
                },
            },
        });
    }

    /// <summary>A token that is right, for ten minutes.</summary>
    /// <param name="subject">Whose.</param>
    /// <param name="tenant">The caller's tenant; null for none.</param>
    /// <param name="roles">The caller's roles.</param>
    public string Token(string subject, string? tenant, params string[] roles)
    {
        var payload = Payload(subject, tenant, roles);
        return Sign(Header("ES256", CurveKey).ToJsonString(), payload.ToJsonString());
    }

    /// <summary>The header of a token.</summary>
    public static JsonObject Header(string algorithm, string? key) => key is null
        ? new JsonObject { ["alg"] = algorithm, ["typ"] = "JWT" }
        : new JsonObject { ["alg"] = algorithm, ["typ"] = "JWT", ["kid"] = key };

    /// <summary>The payload of a token that is right.</summary>
    public static JsonObject Payload(string subject, string? tenant, params string[] roles)
    {
        var now = DateTimeOffset.UtcNow;
        var payload = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["sub"] = subject,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddMinutes(10).ToUnixTimeSeconds(),
            ["roles"] = new JsonArray([.. roles.Select(role => (JsonNode)role)]),
        };
        if (tenant is not null)
        {
            payload["tenant"] = tenant;
        }

        return payload;
    }

    /// <summary>Signs with the key of the curve.</summary>
    /// <param name="header">The header as JSON, or as something that should be.</param>
    /// <param name="payload">The payload.</param>
    public string Sign(string header, string payload) => Sign(header, payload, text => Curve.SignData(text, HashAlgorithmName.SHA256));

    /// <summary>Signs with the RSA key.</summary>
    /// <inheritdoc cref="Sign(string, string)"/>
    public string SignRsa(string header, string payload) =>
        Sign(header, payload, text => Rsa.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    /// <summary>Puts a token together.</summary>
    /// <param name="header">The header.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="sign">Makes the signature of what is signed.</param>
    public static string Sign(string header, string payload, Func<byte[], byte[]> sign)
    {
        ArgumentNullException.ThrowIfNull(sign);
        var text = $"{Base64UrlEncoder.Encode(header)}.{Base64UrlEncoder.Encode(payload)}";
        return $"{text}.{Base64UrlEncoder.Encode(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Rsa.Dispose();
        Curve.Dispose();
        _directory.Delete(recursive: true);
    }
}
