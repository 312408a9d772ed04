using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;
using Platform.Api.Callers;
using Xunit;

namespace Platform.Tests.Unit.Api.Callers;

public sealed class KeyFileTests : IDisposable
{
    private readonly TokenIssuer _issuer = new();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("keys-");

    public void Dispose()
    {
        _issuer.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void A_changed_file_is_read_again_and_one_that_cannot_be_used_leaves_the_keys_of_before()
    {
        var file = Write(_issuer.KeySet());
        var time = new FakeTimeProvider();
        var log = new FakeLogger<KeyFile>();
        var keys = new KeyFile(file, time, log);
        using var other = new TokenIssuer();
        var before = keys.Find(TokenIssuer.RsaKey);

        File.WriteAllText(file, other.KeySet());
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(1));
        var within = keys.Find(TokenIssuer.RsaKey);
        time.Advance(TimeSpan.FromSeconds(31));
        var after = keys.Find(TokenIssuer.RsaKey);
        File.WriteAllText(file, "half a fi");
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(2));
        time.Advance(TimeSpan.FromSeconds(31));
        var still = keys.Find(TokenIssuer.RsaKey);
        File.Delete(file);
        time.Advance(TimeSpan.FromSeconds(31));

        Assert.NotNull(before);
        Assert.Same(before, within);
        Assert.NotSame(before, after);
        Assert.Same(after, still);
        Assert.Same(after, keys.Find(TokenIssuer.RsaKey));
        Assert.Null(keys.Find("nobody"));
        Assert.Null(keys.Find(null));
        var told = log.Collector.GetSnapshot().Where(record => record.Level == LogLevel.Error).Select(record => record.Message).ToList();
        Assert.Equal(
            [
                $"Tokens are checked with the keys of before: {file} is not a JSON Web Key Set.",
                $"Tokens are checked with the keys of before: {file} cannot be read.",
            ],
            told);
    }

    [Theory]
    [InlineData("", "is not a JSON Web Key Set.")]
    [InlineData("s3cr3t", "is not a JSON Web Key Set.")]
    [InlineData("[]", "is not a JSON Web Key Set.")]
    [InlineData("""{"keys":"s3cr3t"}""", "is not a JSON Web Key Set.")]
    [InlineData("{}", "has no keys.")]
    [InlineData("""{"keys":[]}""", "has no keys.")]
    [InlineData("""{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}""", "is neither of RSA nor of an elliptic curve.")]
    [InlineData("""{"keys":[{"kty":"EC","kid":"a","crv":"secp256k1","x":"AA","y":"AA"}]}""", "is of none of the curves P-256, P-384 and P-521.")]
    [InlineData("""{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}""", "has no name (kid).")]
    [InlineData("""{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}""", "has less than 2048 bits.")]
    [InlineData("""{"keys":[{"kty":"EC","kid":"a","use":"enc","crv":"P-256","x":"AA","y":"AA"}]}""", "is not for signatures (use).")]
    [InlineData("""{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AA","y":"AA"}]}""", "cannot be used: its numbers are no key's.")]
    [InlineData("""{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AA","y":"AA","d":"s3cr3t"}]}""", "is a private one; the API needs the public half alone.")]
    public void A_file_that_cannot_be_used_is_told_in_a_sentence_without_what_is_in_it(string content, string sentence)
    {
        var mistake = KeyFile.Mistake(Write(content));

        Assert.EndsWith(sentence, mistake, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_there_twice_or_has_a_private_half_is_refused()
    {
        using var rsa = RSA.Create(2048);
        var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(rsa.ExportParameters(includePrivateParameters: true)));
        var half = new { kty = "RSA", kid = "a", n = key.N, e = key.E };
        var whole = new { kty = "RSA", kid = "a", n = key.N, e = key.E, d = key.D, p = key.P, q = key.Q, dp = key.DP, dq = key.DQ, qi = key.QI };

        Assert.Contains("is a private one", KeyFile.Mistake(Write(Set(whole))), StringComparison.Ordinal);
        Assert.EndsWith("has two keys of the name a.", KeyFile.Mistake(Write(Set(half, half))), StringComparison.Ordinal);
        Assert.Null(KeyFile.Mistake(Write(Set(half))));
    }

    private static string Set(params object[] keys) => JsonSerializer.Serialize(new { keys });

    private string Write(string content)
    {
        var file = Path.Combine(_directory.FullName, "keys.json");
        File.WriteAllText(file, content);
        return file;
    }
}
