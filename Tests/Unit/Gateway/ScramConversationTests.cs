using System.Text;
using Platform.Gateway.Authentication;
using Platform.Gateway.Errors;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>The messages of a SCRAM login.</summary>
public sealed class ScramConversationTests
{
    [Fact]
    public void An_exchange_gives_the_engine_the_message_that_both_sides_sign()
    {
        var conversation = ScramConversation.Start("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"u8, skipsEmptyExchange: true);
        Assert.StartsWith("rOprNGfwEbeRWgbNEkqO", conversation.Nonce, StringComparison.Ordinal);
        Assert.True(conversation.Nonce.Length >= "rOprNGfwEbeRWgbNEkqO".Length + 24);
        var challenge = conversation.Challenge("W22ZaJ0SNY7soEsUEjb6gQ==", 4096);
        Assert.Equal($"r={conversation.Nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", challenge);

        var (message, proof) = conversation.Proof(Encoding.UTF8.GetBytes($"c=biws,r={conversation.Nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        Assert.Equal($"n=user,r=rOprNGfwEbeRWgbNEkqO,{challenge},c=biws,r={conversation.Nonce}", message);
        Assert.Equal("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", proof);
    }

    [Fact]
    public void Nonces_differ() => Assert.NotEqual(
        ScramConversation.Start("n,,n=user,r=abc"u8, true).Nonce, ScramConversation.Start("n,,n=user,r=abc"u8, true).Nonce);

    [Fact]
    public void Commas_and_equals_signs_in_names_are_unescaped() =>
        Assert.Equal("a,b=c", ScramConversation.Start("n,,n=a=2Cb=3Dc,r=abc"u8, true).User);

    [Theory]
    [InlineData("")]
    [InlineData("n,,")]
    [InlineData("n,,n=user")]
    [InlineData("n,,n=,r=abc")]
    [InlineData("n,,n=user,r=")]
    [InlineData("n,,n=a=b,r=abc")]
    [InlineData("p=tls-unique,,n=user,r=abc")]
    [InlineData("n,a=admin,n=user,r=abc")]
    [InlineData("n,,m=extension,n=user,r=abc")]
    public void A_first_message_of_another_form_fails(string message) => Assert.Equal(
        ErrorCode.AuthenticationFailed,
        Assert.Throws<CommandException>(() => ScramConversation.Start(Encoding.UTF8.GetBytes(message), true)).Code);

    [Theory]
    [InlineData("c=biws,r={0}")]
    [InlineData("c=eSws,r={0},p=AAAA")]
    [InlineData("c=biws,r={0}x,p=AAAA")]
    [InlineData("c=biws,p=AAAA")]
    [InlineData("r={0},c=biws,p=AAAA")]
    public void A_last_message_of_another_conversation_fails(string message)
    {
        var conversation = ScramConversation.Start("n,,n=user,r=abc"u8, true);
        conversation.Challenge("c2FsdA==", 4096);
        var bytes = Encoding.UTF8.GetBytes(message.Replace("{0}", conversation.Nonce, StringComparison.Ordinal));
        Assert.Equal(ErrorCode.AuthenticationFailed, Assert.Throws<CommandException>(() => conversation.Proof(bytes)).Code);
    }

    [Fact]
    public void A_proof_before_the_challenge_fails() =>
        Assert.Throws<CommandException>(() => ScramConversation.Start("n,,n=user,r=abc"u8, true).Proof("c=biws,r=abc,p=AAAA"u8));

    [Theory]
    [InlineData("postgres", true)]
    [InlineData("documentdb_admin_role", true)]
    [InlineData("PG_monitor", true)]
    [InlineData("none", true)]
    [InlineData("platform", false)]
    public void Roles_of_the_engine_are_no_users(string name, bool reserved) => Assert.Equal(reserved, Authenticator.IsReserved(name));
}
