using System.Text;
using MongoDB.Bson;
using Platform.Wire.Scram;
using Xunit;

namespace Platform.Tests.Unit.Wire;

/// <summary>The messages of a SCRAM login.</summary>
public sealed class ScramTests
{
    // The example of https://www.rfc-editor.org/rfc/rfc7677#section-3.
    private const string Challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    [Fact]
    public void A_client_says_what_the_published_example_says()
    {
        var client = new ScramClient("user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        Assert.Equal("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", Encoding.UTF8.GetString(client.First));
        Assert.Equal(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            Encoding.UTF8.GetString(client.Answer(Encoding.UTF8.GetBytes(Challenge))));
        client.Verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="u8);
        Assert.Throws<ScramException>(() => client.Verify("v=AAAA"u8));
    }

    [Theory]
    // The same example, as PostgreSQL keeps it.
    [InlineData("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", true)]
    [InlineData("SCRAM-SHA-256$4096:X22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", false)]
    [InlineData("SCRAM-SHA-256$4097:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", false)]
    [InlineData("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$:", false)]
    [InlineData("SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$AAAA:AAAA", false)]
    [InlineData("SCRAM-SHA-256$4096:no base64$AAAA:AAAA", false)]
    [InlineData("md5a0ef1a8dd3bb0ddd5d4f4b5ed1a8dd3b", false)]
    [InlineData("", false)]
    public void A_verifier_tells_whether_it_was_made_of_a_password(string verifier, bool isOf)
    {
        Assert.Equal(isOf, ScramVerifier.IsOf(verifier, "pencil"));
        Assert.False(ScramVerifier.IsOf(verifier, "pencils"));
    }

    [Fact]
    public void A_login_is_carried_by_two_commands_and_ends_with_a_proof_of_the_server()
    {
        var client = new ScramClient("a,b=c", "pencil", "rOprNGfwEbeRWgbNEkqO");
        var start = client.SaslStart();
        var server = ScramServer.Start(start["payload"].AsByteArray);
        Assert.Equal("a,b=c", server.User);
        var challenge = Encoding.UTF8.GetBytes(server.Challenge("c2FsdA==", 4096));
        var proof = client.SaslContinue(new BsonDocument { { "conversationId", 1 }, { "payload", challenge } });
        Assert.Equal(1, proof["conversationId"]);
        Assert.StartsWith(
            $"n=a=2Cb=3Dc,r=rOprNGfwEbeRWgbNEkqO,{Encoding.UTF8.GetString(challenge)},",
            server.Proof(proof["payload"].AsByteArray).AuthMessage,
            StringComparison.Ordinal);
        Assert.Throws<ScramException>(() => client.Verify(new BsonDocument { { "done", false } }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("r=other,s=AAAA,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=*,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=0")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=99999999")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,i=4096")]
    public void A_client_answers_no_malformed_challenge(string challenge) => Assert.Throws<ScramException>(
        () => new ScramClient("user", "pencil", "rOprNGfwEbeRWgbNEkqO").Answer(Encoding.UTF8.GetBytes(challenge)));

    [Fact]
    public void An_exchange_gives_whoever_checks_the_proof_the_message_that_both_sides_sign()
    {
        var conversation = ScramServer.Start("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"u8);
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
        ScramServer.Start("n,,n=user,r=abc"u8).Nonce, ScramServer.Start("n,,n=user,r=abc"u8).Nonce);

    [Fact]
    public void Commas_and_equals_signs_in_names_are_unescaped() =>
        Assert.Equal("a,b=c", ScramServer.Start("n,,n=a=2Cb=3Dc,r=abc"u8).User);

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
    public void A_first_message_of_another_form_fails(string message) =>
        Assert.Throws<ScramException>(() => ScramServer.Start(Encoding.UTF8.GetBytes(message)));

    [Theory]
    [InlineData("c=biws,r={0}")]
    [InlineData("c=eSws,r={0},p=AAAA")]
    [InlineData("c=biws,r={0}x,p=AAAA")]
    [InlineData("c=biws,p=AAAA")]
    [InlineData("r={0},c=biws,p=AAAA")]
    public void A_last_message_of_another_conversation_fails(string message)
    {
        var conversation = ScramServer.Start("n,,n=user,r=abc"u8);
        conversation.Challenge("c2FsdA==", 4096);
        var bytes = Encoding.UTF8.GetBytes(message.Replace("{0}", conversation.Nonce, StringComparison.Ordinal));
        Assert.Throws<ScramException>(() => conversation.Proof(bytes));
    }

    [Fact]
    public void A_proof_before_the_challenge_fails() =>
        Assert.Throws<ScramException>(() => ScramServer.Start("n,,n=user,r=abc"u8).Proof("c=biws,r=abc,p=AAAA"u8));
}
