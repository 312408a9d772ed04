using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Platform.Tests.Unit.Api.Callers;

/// <summary>Whatever somebody sends as a token, it is refused in the API's own words, and told to nobody.</summary>
public sealed class HostileTokenTests(ITestOutputHelper output) : IDisposable
{
    private const int Seed = 2026;
    private const int Tokens = 2_200;

    // What no answer, log or trace may show.
    private const string Marker = "marker-of-a-caller";

    private readonly TokenIssuer _issuer = new();
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly FakeLoggerProvider _logs = new();
    private readonly Random _random = new(Seed);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string Claims => Good().ToJsonString();

    public void Dispose()
    {
        _issuer.Dispose();
        _rsa.Dispose();
        _curve.Dispose();
        _logs.Dispose();
    }

    [Fact]
    public async Task Thousands_of_hostile_tokens_are_all_refused_and_shown_to_nobody()
    {
        using var factory = new ApiFactory { Logs = _logs };
        foreach (var (key, value) in NoRateLimits.Settings.Concat(_issuer.Settings))
        {
            factory.Settings[key] = value;
        }

        factory.Settings["Logging:LogLevel:Default"] = nameof(LogLevel.Trace);
        factory.Settings["Logging:LogLevel:Microsoft.AspNetCore"] = nameof(LogLevel.Trace);
        var spans = new List<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                {
                    spans.Add($"{span.StatusDescription} {string.Join(' ', span.TagObjects)} {string.Join(' ', span.Events.SelectMany(told => told.Tags))}");
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var api = factory.CreateClient();
        var kinds = Kinds();
        var seen = new Dictionary<string, int>();

        for (var number = 0; number < Tokens; number++)
        {
            var (kind, make) = kinds[number % kinds.Count];
            var token = make();
            var (status, body, challenge) = await SendAsync(api, token);

            Assert.True(
                status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden,
                $"{kind} (seed {Seed}, number {number}): {(int)status} for {token}: {body}");
            Assert.StartsWith("Bearer", challenge, StringComparison.Ordinal);
            Assert.DoesNotContain(Marker, body + challenge, StringComparison.Ordinal);
            seen[$"{kind} {(int)status}"] = seen.GetValueOrDefault($"{kind} {(int)status}") + 1;
            if (number % 200 == 0)
            {
                // Else all would be refused for another reason.
                Assert.Equal(HttpStatusCode.OK, (await SendAsync(api, _issuer.Sign(CurveHeader(), Claims))).Status);
                Assert.Equal(
                    HttpStatusCode.OK,
                    (await SendAsync(api, _issuer.SignRsa(TokenIssuer.Header("RS256", TokenIssuer.RsaKey).ToJsonString(), Claims))).Status);
            }
        }

        output.WriteLine(string.Join(Environment.NewLine, seen.OrderBy(entry => entry.Key, StringComparer.Ordinal)));
        var payload = Base64UrlEncoder.Encode(Claims)[..24];
        var logs = _logs.Collector.GetSnapshot();
        Assert.Contains(logs, record => record.Category?.Contains("JwtBearer", StringComparison.Ordinal) == true);
        Assert.DoesNotContain(logs, record => record.Level >= LogLevel.Error);
        Assert.DoesNotContain(logs, record => Shows($"{record.Message} {record.Exception}"));
        lock (spans)
        {
            Assert.NotEmpty(spans);
            Assert.DoesNotContain(spans, Shows);
        }

        bool Shows(string text) => text.Contains(Marker, StringComparison.Ordinal) || text.Contains(payload, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Basic YWRtaW46YWRtaW4=")]
    [InlineData("bearer null")]
    [InlineData("Negotiate TOKEN")]
    [InlineData("Bearer TOKEN, Bearer TOKEN")]
    [InlineData("Bearer TOKEN TOKEN")]
    [InlineData("TOKEN")]
    public async Task A_header_that_is_none_of_a_token_lets_nobody_in(string header)
    {
        using var factory = new ApiFactory();
        foreach (var (key, value) in _issuer.Settings)
        {
            factory.Settings[key] = value;
        }

        using var api = factory.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/tenants/acme/products");
        request.Headers.TryAddWithoutValidation(
            "Authorization", header.Replace("TOKEN", _issuer.Sign(CurveHeader(), Claims), StringComparison.Ordinal));

        using var answer = await api.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    private static JsonObject Good() => TokenIssuer.Payload(Marker, "acme", "reader");

    private static string CurveHeader() => TokenIssuer.Header("ES256", TokenIssuer.CurveKey).ToJsonString();

    private static async Task<(HttpStatusCode Status, string Body, string Challenge)> SendAsync(HttpClient api, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/tenants/acme/products");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var answer = await api.SendAsync(request, Cancellation);
        var body = await answer.Content.ReadAsStringAsync(Cancellation);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        }

        return (answer.StatusCode, body, answer.Headers.WwwAuthenticate.ToString());
    }

    private List<(string Kind, Func<string> Make)> Kinds() =>
    [
        ("no algorithm", () => TokenIssuer.Sign(
            TokenIssuer.Header(OneOf("none", "None", "NONE", "nOnE", ""), OneOf(TokenIssuer.CurveKey, null)).ToJsonString(), Claims,
            text => _random.Next(3) switch { 0 => [], 1 => text, _ => [0] })),
        ("public key as a secret", PublicKeyAsSecret),
        ("another algorithm for the key", () => OneOf(
            _issuer.Sign(TokenIssuer.Header(OneOf("RS256", "PS256", "ES384", "ES512"), TokenIssuer.CurveKey).ToJsonString(), Claims),
            _issuer.SignRsa(TokenIssuer.Header(OneOf("ES256", "PS256", "RS512", "RS1", "dir"), TokenIssuer.RsaKey).ToJsonString(), Claims))),
        ("another issuer", () => With("iss", OneOf<JsonNode?>(
            null, "", "https://login.example.com", $"{TokenIssuer.Issuer}/", TokenIssuer.Issuer.ToUpperInvariant(), $"{TokenIssuer.Issuer}.evil.example", 7,
            new JsonArray("https://evil.example"), new JsonObject { ["a"] = TokenIssuer.Issuer }))),
        ("another audience", () => With("aud", OneOf<JsonNode?>(
            null, "", "https://other.example.com", $"{TokenIssuer.Audience}:443", 7, new JsonArray(), new JsonArray("a", "b"), new JsonObject()))),
        ("expired", () => With("exp", OneOf<JsonNode?>(Seconds(-31 - _random.Next(1_000_000)), 0, 1, -5, null, "soon", new JsonArray()))),
        ("not yet valid", () => With("nbf", Seconds(90 + _random.Next(500)))),
        ("large", () => With("large", new string('x', 13_000 + _random.Next(60_000)))),
        ("key by another name", () => _issuer.Sign(
            OneOf(
                TokenIssuer.Header("ES256", OneOf(
                    null, "", "nobody", "../../../../etc/passwd", "..\\..\\key", "/dev/null", "file:///dev/null", "https://evil.example/keys", "' or '1'='1",
                    "curve\0", "CURVE", " curve", new string('k', 5_000))).ToJsonString(),
                """{"alg":"ES256","kid":7}""", """{"alg":"ES256","kid":null}""", """{"alg":"ES256","kid":["curve"]}"""),
            Claims)),
        ("a key of its own", OwnKey),
        ("wrong signature", WrongSignature),
        ("changed after it was signed", () =>
        {
            var parts = _issuer.Sign(CurveHeader(), Claims).Split('.');
            var claims = Good();
            claims["roles"] = "admin";
            return $"{parts[0]}.{Base64UrlEncoder.Encode(claims.ToJsonString())}.{parts[2]}";
        }),
        ("encrypted or nested", () => OneOf(
            $"{Base64UrlEncoder.Encode("""{"alg":"dir","enc":"A128CBC-HS256","kid":"curve"}""")}..{Noise(16)}.{Noise(64)}.{Noise(16)}",
            $"{Base64UrlEncoder.Encode("""{"alg":"RSA-OAEP","enc":"A256GCM","kid":"rsa","zip":"DEF"}""")}.{Noise(256)}.{Noise(12)}.{Noise(64)}.{Noise(16)}",
            _issuer.Sign("""{"alg":"ES256","kid":"curve","cty":"JWT"}""", $"\"{_issuer.Sign(CurveHeader(), Claims)}\""),
            _issuer.Sign("""{"alg":"ES256","kid":"curve","cty":"JWT"}""", _issuer.Sign(CurveHeader(), Claims)))),
        ("what has to be understood", () => _issuer.Sign("""{"alg":"ES256","kid":"curve","crit":["exp2"],"exp2":1}""", Claims)),
        ("a tenant of another kind", () => With("tenant", OneOf<JsonNode?>(
            null, 7, true, "", new JsonArray("acme"), new JsonArray("acme", "other"), new JsonArray(), new JsonObject { ["slug"] = "acme" },
            new string('a', 300)))),
        ("no tenant", () =>
        {
            var claims = Good();
            claims.Remove("tenant");
            return _issuer.Sign(CurveHeader(), claims.ToJsonString());
        }),
        ("the same claim twice", () => _issuer.Sign(CurveHeader(), Claims.Replace(
            "{",
            OneOf(
                """{"tenant":"other",""", """{"tenant":"acme",""", """{"roles":"admin",""", """{"sub":"x",""", """{"iss":"x",""",
                """{"\u0074enant":"other","""),
            StringComparison.Ordinal))),
        ("roles of another kind", () => With("roles", OneOf<JsonNode?>(
            null, 7, "", "Reader", "reader,admin", "reader admin", new JsonArray(), new JsonArray("nobody"), new JsonArray("reader", 7),
            new JsonArray(new JsonArray("reader")), new JsonObject { ["reader"] = true }))),
        ("nobody's", () => With("sub", OneOf<JsonNode?>(null, "", 7, new JsonArray(Marker), new string('s', 300)))),
        ("no JSON", () => _issuer.Sign(
            CurveHeader(),
            OneOf(
                "", "null", "[]", "7", "\"x\"", "{", $"{Claims}{Claims}", new string('[', 3_000), "{\"tenant\":\"\\ud800\"}", "\0", "{'tenant':'acme'}"))),
        ("a header that is no JSON", () => _issuer.Sign(OneOf("", "null", "[]", "{", "7", "\0", new string('{', 900)), Claims)),
        ("bytes", Bytes),
    ];

    private string With(string claim, JsonNode? value)
    {
        var claims = Good();
        claims[claim] = value;
        return _issuer.Sign(CurveHeader(), claims.ToJsonString());
    }

    // https://www.rfc-editor.org/rfc/rfc8725#section-2.1
    private string PublicKeyAsSecret()
    {
        var modulus = _issuer.Rsa.ExportParameters(includePrivateParameters: false).Modulus!;
        var secret = OneOf(
            Encoding.ASCII.GetBytes(_issuer.Rsa.ExportSubjectPublicKeyInfoPem()), Encoding.ASCII.GetBytes(_issuer.Rsa.ExportRSAPublicKeyPem()), modulus,
            Encoding.UTF8.GetBytes(Base64UrlEncoder.Encode(modulus)), _issuer.Curve.ExportSubjectPublicKeyInfo(), Encoding.UTF8.GetBytes(_issuer.KeySet()), []);
        var key = OneOf(TokenIssuer.RsaKey, TokenIssuer.CurveKey);
        return OneOf(
            TokenIssuer.Sign(TokenIssuer.Header("HS256", key).ToJsonString(), Claims, text => HMACSHA256.HashData(secret, text)),
            TokenIssuer.Sign(TokenIssuer.Header("HS512", key).ToJsonString(), Claims, text => HMACSHA512.HashData(secret, text)));
    }

    // The key that the token is signed with stands in it, or where it says.
    private string OwnKey()
    {
        var point = _curve.ExportParameters(includePrivateParameters: false).Q;
        var header = TokenIssuer.Header("ES256", OneOf(TokenIssuer.CurveKey, "own", null));
        switch (_random.Next(4))
        {
            case 0:
                header["jwk"] = new JsonObject
                {
                    ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = "own", ["x"] = Base64UrlEncoder.Encode(point.X!), ["y"] = Base64UrlEncoder.Encode(point.Y!),
                };
                break;
            case 1:
                header["jku"] = "http://127.0.0.1:9/keys.json";
                break;
            case 2:
                header["x5u"] = "http://127.0.0.1:9/certificate.pem";
                break;
            default:
                header["x5c"] = new JsonArray(Convert.ToBase64String(_curve.ExportSubjectPublicKeyInfo()));
                break;
        }

        return TokenIssuer.Sign(header.ToJsonString(), Claims, text => _curve.SignData(text, HashAlgorithmName.SHA256));
    }

    private string WrongSignature() => _random.Next(8) switch
    {
        0 => TokenIssuer.Sign(CurveHeader(), Claims, text => _curve.SignData(text, HashAlgorithmName.SHA256)),
        1 => TokenIssuer.Sign(
            TokenIssuer.Header("RS256", TokenIssuer.RsaKey).ToJsonString(), Claims,
            text => _rsa.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
        // https://nvd.nist.gov/vuln/detail/CVE-2022-21449
        2 => TokenIssuer.Sign(CurveHeader(), Claims, _ => new byte[64]),
        3 => TokenIssuer.Sign(CurveHeader(), Claims, _ => []),
        4 => TokenIssuer.Sign(CurveHeader(), Claims, text => _issuer.Curve.SignData(text, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
        5 => TokenIssuer.Sign(CurveHeader(), Claims, text => _issuer.Curve.SignData(text, HashAlgorithmName.SHA256)[..63]),
        6 => TokenIssuer.Sign(CurveHeader(), Claims, text =>
        {
            var signature = _issuer.Curve.SignData(text, HashAlgorithmName.SHA256);
            signature[_random.Next(signature.Length)] ^= (byte)(1 << _random.Next(8));
            return signature;
        }),
        _ => TokenIssuer.Sign(CurveHeader(), Claims, _ => RandomNumberGenerator.GetBytes(_random.Next(200))),
    };

    private string Bytes()
    {
        const string letters = "abcXYZ019-_.=+/~$&;:@'()*!";
        var text = string.Concat(Enumerable.Range(0, 1 + _random.Next(200)).Select(_ => letters[_random.Next(letters.Length)]));
        var good = _issuer.Sign(CurveHeader(), Claims);
        return OneOf(
            text, $".{text}", $"{text}..", "..", "....", $"{good}.", $".{good}", good[..^(20 + _random.Next(60))],
            good.Replace(".", "", StringComparison.Ordinal));
    }

    private static long Seconds(int fromNow) => DateTimeOffset.UtcNow.AddSeconds(fromNow).ToUnixTimeSeconds();

    private static string Noise(int bytes) => Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(bytes));

    private T OneOf<T>(params T[] of) => of[_random.Next(of.Length)];
}
