using System.Net;
using System.Net.Http.Headers;
using Xunit;

namespace Platform.Tests.Server.Hosting;

/// <summary>The built API, as a deployment starts it: by environment variables, outside Development.</summary>
public sealed class ApiTokenTests
{
    // Nobody listens there: who a caller is, is found out before the database is asked for anything.
    private const string Nobody = "mongodb://127.0.0.1:1/platform";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_token_nobody_comes_as_far_as_the_database()
    {
        using var issuer = new TokenIssuer();
        var token = issuer.Token("somebody", "acme", "reader");
        await using var api = ApiProcess.Start(
            Nobody,
            ApiProcess.NoCache,
            issuer.Variables.Concat(new Dictionary<string, string?> { ["DOTNET_ENVIRONMENT"] = "Production", ["Logging__LogLevel__Default"] = "Trace" }));
        await api.Process.UntilAsync(() => api.AnswersAsync("/alive", Cancel), Cancel);

        using var anonymous = await api.Client.GetAsync(new Uri("/tenants/acme/products", UriKind.Relative), Cancel);
        api.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", $"{token}x");
        using var wrong = await api.Client.GetAsync(new Uri("/tenants/acme/products", UriKind.Relative), Cancel);
        api.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var known = await api.Client.GetAsync(new Uri("/tenants/acme/products", UriKind.Relative), Cancel);
        using var forbidden = await api.Client.GetAsync(new Uri("/tenants", UriKind.Relative), Cancel);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (anonymous.StatusCode, wrong.StatusCode));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.Forbidden), (known.StatusCode, forbidden.StatusCode));
        Assert.DoesNotContain(token.Split('.')[1], api.Process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Split('.')[2], api.Process.Output, StringComparison.Ordinal);
    }
}
