using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using NSubstitute;
using Platform.Api.Callers;
using Xunit;

namespace Platform.Tests.Unit.Api.Callers;

/// <summary>The API does not start when its settings would let in nobody, or more than they should.</summary>
public sealed class ApiOptionsTests
{
    private const string Authority = "Api:Authentication:Authority=https://login.example.com/shop";
    private const string Audience = "Api:Authentication:Audience=https://shop.example.com";

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public void Outside_Development_it_does_not_start_without_a_word_about_who_may_call_it(string environment)
    {
        var mistake = Assert.Single(Mistakes(environment));

        Assert.StartsWith("Api:Authentication is not set, without which the API starts in Development alone: set ", mistake, StringComparison.Ordinal);
        Assert.Contains("Api:Authentication:Mode to Gateway", mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Development")]
    [InlineData("Development", "Api:Authentication:Mode=Open")]
    [InlineData("Production", "Api:Authentication:Mode=Gateway")]
    [InlineData("Production", Authority, Audience)]
    [InlineData("Production", "Api:Authentication:Mode=Token", Authority, Audience)]
    [InlineData("Production", "Api:Authentication:Authority=http://localhost:8081/realms/shop", Audience)]
    [InlineData("Production", "Api:Authentication:Mode=Gateway", "Api:Authentication:Authority=", "Api:Authentication:Audience= ", "Api:Proxies=")]
    [InlineData("Production", "Api:Authentication:Mode=Gateway", "Api:Proxies=10.0.0.7; 10.1.0.0/16;::1;2001:db8::/32")]
    public void What_is_whole_is_taken(string environment, params string[] settings) => Assert.Empty(Mistakes(environment, settings));

    [Theory]
    [InlineData("Api:Authentication:Mode is Open, which is for Development; this is Production.", "Api:Authentication:Mode=Open")]
    [InlineData("are empty, but tokens are checked with the keys of exactly one of them.", "Api:Authentication:Mode=Token", Audience)]
    [InlineData("are both set", Authority, Audience, "Api:Authentication:KeysFile=/keys.json", "Api:Authentication:Issuer=x")]
    [InlineData("Api:Authentication:Audience is empty", Authority)]
    [InlineData("Api:Authentication:Issuer is empty", "Api:Authentication:KeysFile=/nowhere/keys.json", Audience)]
    [InlineData("Api:Authentication:KeysFile: /nowhere/keys.json cannot be read.", "Api:Authentication:KeysFile=/nowhere/keys.json", Audience)]
    [InlineData("Authority must be the address of the issuer", "Api:Authentication:Authority=http://login.example.com", Audience)]
    [InlineData("Authority must be the address of the issuer", "Api:Authentication:Authority=login.example.com", Audience)]
    [InlineData("Authority must be the address of the issuer", "Api:Authentication:Authority=https://u:s3cr3t@login.example.com", Audience)]
    [InlineData("Authority must be the address of the issuer", "Api:Authentication:Authority=ftp://login.example.com", Audience)]
    [InlineData("TenantClaim and RolesClaim are both x", Authority, Audience, "Api:Authentication:TenantClaim=x", "Api:Authentication:RolesClaim=x")]
    [InlineData("Mode is Gateway, but Authority is set", "Api:Authentication:Mode=Gateway", Authority)]
    [InlineData("Mode is Gateway, but Audience is set", "Api:Authentication:Mode=Gateway", Audience)]
    [InlineData("Api:Proxies must be addresses and networks", "Api:Authentication:Mode=Gateway", "Api:Proxies=proxy.example.com")]
    [InlineData("Api:Proxies has a network of all addresses", "Api:Authentication:Mode=Gateway", "Api:Proxies=10.0.0.1;0.0.0.0/0")]
    [InlineData("ASPNETCORE_FORWARDEDHEADERS_ENABLED lets every client choose its address", "Api:Authentication:Mode=Gateway", "ForwardedHeaders_Enabled=true")]
    public void What_would_let_in_nobody_or_too_many_ends_the_start_with_a_sentence(string sentence, params string[] settings)
    {
        var mistakes = Mistakes("Production", settings);

        Assert.Contains(mistakes, mistake => mistake.Contains(sentence, StringComparison.Ordinal));
        Assert.DoesNotContain(mistakes, mistake => mistake.Contains("s3cr3t", StringComparison.Ordinal));
    }

    [Fact]
    public void A_claim_without_a_name_ends_the_start()
    {
        var host = Substitute.For<IHostEnvironment>();
        host.EnvironmentName.Returns("Production");
        var options = new ApiOptions { Authentication = { Authority = "https://login.example.com", Audience = "x", TenantClaim = "" } };

        var mistakes = new ApiOptionsValidator(new ConfigurationBuilder().Build(), host).Validate(null, options).Failures!;

        Assert.Equal(["Api:Authentication:TenantClaim and RolesClaim must be names of claims, but one is empty."], mistakes);
    }

    private static List<string> Mistakes(string environment, params string[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])))
            .Build();
        var host = Substitute.For<IHostEnvironment>();
        host.EnvironmentName.Returns(environment);
        var options = new ApiOptions();
        configuration.GetSection(ApiOptions.Section).Bind(options);
        return [.. new ApiOptionsValidator(configuration, host).Validate(null, options).Failures ?? []];
    }
}
