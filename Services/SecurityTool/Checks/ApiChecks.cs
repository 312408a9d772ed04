using System.Net;
using Platform.SecurityTool.Stack;

namespace Platform.SecurityTool.Checks;

/// <summary>What has to hold of the API.</summary>
internal static class ApiChecks
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    // https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
    private static readonly string[] s_headers = ["X-Content-Type-Options", "Content-Security-Policy", "X-Frame-Options", "Cache-Control"];

    public static IReadOnlyList<SecurityCheck> All { get; } =
    [
        new(
            "api-headers", "Every answer of the API tells browsers what they may not do with it, and not what made it",
            "A browser takes an answer for a page; an attacker knows which version to look up.",
            "Answer through UseHttpDefaults, and leave AddServerHeader off.",
            "OWASP, REST security", HeadersAsync),
        new(
            "api-hosts", "The API answers requests for its own host alone",
            "A page of another site that resolves to this machine reads the answers (DNS rebinding).",
            "Set AllowedHosts.",
            "OWASP, REST security", HostsAsync),
        new(
            "api-callers", "The API knows its callers",
            "Whoever reaches the port is every tenant's every user.",
            "Set Api:Authentication (docs/api.md).",
            "OWASP API Security Top 10, API2", CallersAsync),
    ];

    private static Task<CheckOutcome> HeadersAsync(RunningStack stack, CancellationToken cancellationToken) => AskAsync(stack, async (http, api) =>
    {
        var against = new List<string>();
        foreach (var path in (string[])["/tenants", "/no-such-path", "/alive"])
        {
            using var answer = await http.GetAsync(new Uri(api, path), cancellationToken);
            var names = answer.Headers.Concat(answer.Content.Headers).Select(header => header.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
            against.AddRange(s_headers.Where(header => !names.Contains(header)).Select(header => $"{path} is answered without {header}."));
            against.AddRange(((string[])["Server", "X-Powered-By"]).Where(names.Contains).Select(header => $"{path} is answered with {header}."));
        }

        return CheckOutcome.Of(against, "3 answers");
    });

    private static Task<CheckOutcome> HostsAsync(RunningStack stack, CancellationToken cancellationToken) => AskAsync(stack, async (http, api) =>
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(api, "/tenants"));
        request.Headers.Host = "rebound.example";
        using var answer = await http.SendAsync(request, cancellationToken);
        return CheckOutcome.Of(
            answer.IsSuccessStatusCode ? ["A request for rebound.example is answered."] : [], $"a request for another host gets {(int)answer.StatusCode}");
    });

    private static Task<CheckOutcome> CallersAsync(RunningStack stack, CancellationToken cancellationToken) => AskAsync(stack, async (http, api) =>
    {
        using var answer = await http.GetAsync(new Uri(api, "/tenants"), cancellationToken);
        return answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            ? CheckOutcome.Of([], $"a caller without a token gets {(int)answer.StatusCode}")
            : api.IsLoopback ? CheckOutcome.NotApplicable("The API is one for development: it takes callers of this machine alone, without a token.")
            : CheckOutcome.Of(["/tenants is answered to a caller without a token."], "");
    });

    private static async Task<CheckOutcome> AskAsync(RunningStack stack, Func<HttpClient, Uri, Task<CheckOutcome>> ask)
    {
        if (stack.Api is not { } api)
        {
            return CheckOutcome.NotApplicable("The stack has no API.");
        }

        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = !api.IsLoopback };
        if (stack.Authority is { } authority)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = authority.IsTrusted;
        }

        using var http = new HttpClient(handler) { Timeout = s_patience };
        return await ask(http, api);
    }
}
