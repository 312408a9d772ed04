using System.Security.Cryptography;
using Platform.Data.Security;
using Xunit;

namespace Platform.Tests.Unit.Data.Security;

public sealed class PasswordHashTests
{
    private static readonly byte[] Salt = [.. Enumerable.Range(0, PasswordHash.SaltLength).Select(i => (byte)i)];

    [Fact]
    public void A_password_is_known_again_and_another_is_not()
    {
        var stored = PasswordHash.Create("correct horse");
        Assert.True(PasswordHash.Verify("correct horse", stored));
        Assert.False(PasswordHash.Verify("correct horsf", stored));
        Assert.False(PasswordHash.Verify("", stored));
        Assert.Matches(@"^\$pbkdf2-sha512\$i=210000\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{86}$", stored);
        Assert.NotEqual(stored, PasswordHash.Create("correct horse"));
    }

    [Fact]
    public void The_hash_is_the_one_that_PBKDF2_gives()
    {
        var hash = PasswordHash.Create("pass", Salt, 1000).Split('$')[^1];
        Assert.Equal(Convert.ToBase64String(Rfc2898DeriveBytes.Pbkdf2("pass", Salt, 1000, HashAlgorithmName.SHA512, 64)).TrimEnd('='), hash);
    }

    [Theory]
    [InlineData("")]
    [InlineData("pass")]
    [InlineData("$pbkdf2-sha512$i=1000$AAECAwQFBgcICQoLDA0ODw$")]
    [InlineData("$pbkdf2-sha512$i=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw")]
    [InlineData("$pbkdf2-sha512$i=x$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw")]
    [InlineData("$pbkdf2-sha1$i=1000$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw")]
    [InlineData("$pbkdf2-sha512$i=1000$***$***")]
    public void Another_form_matches_no_password(string stored) => Assert.False(PasswordHash.Verify("pass", stored));

    [Fact]
    public void A_salt_that_is_too_short_and_too_few_iterations_are_refused()
    {
        Assert.Throws<ArgumentException>(() => PasswordHash.Create("pass", Salt.AsSpan(1), 1000));
        Assert.Throws<ArgumentOutOfRangeException>(() => PasswordHash.Create("pass", Salt, 999));
    }
}
