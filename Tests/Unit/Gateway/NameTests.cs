using System.Text;
using Platform.Gateway.Authentication;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>Names that clients give, and how a log shows them.</summary>
public sealed class NameTests
{
    [Theory]
    [InlineData("shop")]
    [InlineData("größe-1_2")]
    [InlineData("a23456789012345678901234567890123456789012345678901234567890123")]
    public void Databases_are_taken_as_MongoDB_takes_them(string name) => Assert.Equal(name, Names.CheckDatabase(name));

    [Theory]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a\"b")]
    [InlineData("$a")]
    [InlineData("a\0b")]
    [InlineData("a23456789012345678901234567890123456789012345678901234567890123x")]
    [InlineData("äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäö")]
    public void Other_databases_are_refused(string name) =>
        Assert.Equal(ErrorCode.InvalidNamespace, Assert.Throws<CommandException>(() => Names.CheckDatabase(name)).Code);

    [Theory]
    [InlineData("orders", true)]
    [InlineData("orders.2026", true)]
    [InlineData("system.views", true)]
    [InlineData("", false)]
    [InlineData(".a", false)]
    [InlineData("a$b", false)]
    [InlineData("a\0b", false)]
    public void Collections_are_judged_with_their_database(string name, bool taken)
    {
        if (taken)
        {
            Assert.Equal(name, Names.CheckCollection("shop", name));
            Names.CheckNamespace("shop." + name);
        }
        else
        {
            Assert.Equal(ErrorCode.InvalidNamespace, Assert.Throws<CommandException>(() => Names.CheckCollection("shop", name)).Code);
            Assert.Throws<CommandException>(() => Names.CheckNamespace("shop." + name));
        }
    }

    [Fact]
    public void A_namespace_has_255_bytes_at_most()
    {
        Names.CheckCollection("shop", new string('a', 250));
        Assert.Throws<CommandException>(() => Names.CheckCollection("shop", new string('a', 251)));
        Assert.Throws<CommandException>(() => Names.CheckCollection("shop", new string('ä', 126)));
    }

    [Theory]
    [InlineData("ann", true)]
    [InlineData("ann, p=1", true)]
    [InlineData("", false)]
    [InlineData("a\0b", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\u001b[31mb", false)]
    [InlineData("u23456789012345678901234567890123456789012345678901234567890123", true)]
    [InlineData("u23456789012345678901234567890123456789012345678901234567890123x", false)]
    public void Users_have_names_that_the_engine_does_not_cut(string name, bool taken) => Assert.Equal(taken, Names.IsUser(name));

    [Fact]
    public void A_log_shows_no_character_that_begins_a_line_or_moves_a_cursor()
    {
        Assert.Equal("a\\u000Ab\\u001B[2J\\u0085\\u2028\\u202Eä", Printable.Of("a\nb\u001b[2J\u0085\u2028\u202Eä"));
        Assert.Equal("as it is: ä€", Printable.Of("as it is: ä€"));
        Assert.InRange(Printable.Of(new string('\n', 100_000)).Length, 1, Printable.Longest + 10);
    }

    [Theory]
    [InlineData(7)]
    public void Whatever_bytes_come_what_is_shown_is_one_short_line(int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[400];
        for (var i = 0; i < 2_000; i++)
        {
            random.NextBytes(bytes);
            var text = random.Next(2) == 0 ? Encoding.UTF8.GetString(bytes) : new string([.. bytes.Chunk(2).Select(b => (char)(b[0] | (b[1] << 8)))]);
            var shown = Printable.Of(text);
            Assert.DoesNotContain(shown, c => char.IsControl(c) || c is '\u2028' or '\u2029');
            Assert.InRange(shown.Length, 1, Printable.Longest + 10);
        }
    }

    [Fact]
    public void Salts_of_users_that_do_not_exist_are_stable_and_look_like_others()
    {
        var key = new byte[32];
        var fakes = FakeCredentials.Like(key, $"15000:{Convert.ToBase64String(new byte[28])}");
        Assert.Equal(15_000, fakes.Iterations);
        Assert.Equal(28, Convert.FromBase64String(fakes.SaltOf("nobody")).Length);
        Assert.Equal(fakes.SaltOf("nobody"), FakeCredentials.Like(key, $"15000:{Convert.ToBase64String(new byte[28])}").SaltOf("nobody"));
        Assert.NotEqual(fakes.SaltOf("nobody"), fakes.SaltOf("somebody"));
        Assert.Equal(FakeCredentials.DefaultSaltLength, Convert.FromBase64String(FakeCredentials.Like(key, "").SaltOf("nobody")).Length);
        Assert.Equal(FakeCredentials.DefaultIterations, FakeCredentials.Like(key, "x:y:z").Iterations);
    }

    [Theory]
    [InlineData("postgres", true)]
    [InlineData("documentdb_admin_role", true)]
    [InlineData("PG_monitor", true)]
    [InlineData("none", true)]
    [InlineData("platform", false)]
    public void Roles_of_the_backend_are_no_users(string name, bool reserved) => Assert.Equal(reserved, Names.IsReserved(name));
}
