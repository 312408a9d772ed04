using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Platform.Tests.TestKit.Http;

/// <summary>
/// Sends generated requests to the API and judges the answers: whatever is sent, the answer is 2xx with JSON, or 4xx with problem details in which
/// every sentence is one, and both have the headers of every answer.
/// </summary>
/// <param name="server">Where the API listens.</param>
/// <param name="shop">What it knows.</param>
/// <param name="connections">How many connections send at once.</param>
public sealed partial class HttpFuzz(IPEndPoint server, FuzzShop shop, int connections)
{
    private const int MostFindings = 20;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _seen = new(StringComparer.Ordinal);
    private readonly List<string> _findings = [];

    /// <summary>What was wrong: the seed, the request and the answer, at most twenty.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>How often each route gave each status, as <c>GET /tenants 200</c>.</summary>
    public IReadOnlyDictionary<string, int> Seen => _seen;

    /// <summary>Sends requests.</summary>
    /// <param name="seed">The seed; each connection has the next one.</param>
    /// <param name="requests">How many.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task RunAsync(int seed, int requests, CancellationToken cancellationToken) => Task.WhenAll(
        Enumerable.Range(0, connections).Select(number => RunOneAsync(seed + number, requests / connections, cancellationToken)));

    private async Task RunOneAsync(int seed, int requests, CancellationToken cancellationToken)
    {
        var generator = new FuzzGenerator(shop, seed);
        using var client = new RawHttpClient(server);
        for (var number = 0; number < requests && _findings.Count < MostFindings; number++)
        {
            var request = generator.Next();
            RawAnswer answer;
            try
            {
                answer = await client.SendAsync(request.Bytes, request.Method == "HEAD", cancellationToken);
            }
            catch (InvalidDataException exception)
            {
                Note(seed, number, request, exception.Message);
                continue;
            }

            if (request.Ends)
            {
                client.Close();
            }

            var text = Encoding.UTF8.GetString(answer.Body);
            if (WhatIsWrong(request, answer, text) is { } wrong)
            {
                Note(seed, number, request, $"{wrong}: {answer.Status} {text}");
            }

            generator.Learn(text);
            lock (_lock)
            {
                var key = string.Create(CultureInfo.InvariantCulture, $"{request.Route} {answer.Status}");
                _seen[key] = _seen.GetValueOrDefault(key) + 1;
            }
        }
    }

    private static string? WhatIsWrong(FuzzRequest request, RawAnswer answer, string text)
    {
        if (answer.Status is < 200 or (>= 300 and < 400) or >= 500)
        {
            return "neither 2xx nor 4xx";
        }

        if (!request.IsHttp && answer is { Status: >= 400, Body: [] })
        {
            return null;
        }

        if (answer["X-Content-Type-Options"] != "nosniff" || answer["Content-Security-Policy"].Length == 0 || answer["Cache-Control"].Length == 0)
        {
            return "without the headers of every answer";
        }

        if (request.Method == "HEAD")
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(text);
            return answer.Status < 300
                ? answer["Content-Type"].StartsWith("application/json", StringComparison.Ordinal) ? null : "no JSON"
                : WhatIsWrongWith(json.RootElement, answer);
        }
        catch (JsonException)
        {
            return "no JSON";
        }
    }

    private static string? WhatIsWrongWith(JsonElement problem, RawAnswer answer)
    {
        if (answer["Content-Type"] != "application/problem+json" || problem.GetProperty("status").GetInt32() != answer.Status)
        {
            return "no problem details";
        }

        List<string?> sentences = [problem.GetProperty("title").GetString()];
        if (problem.TryGetProperty("detail", out var detail))
        {
            sentences.Add(detail.GetString());
        }

        if (problem.TryGetProperty("errors", out var errors))
        {
            sentences.AddRange(errors.EnumerateArray().Select(error => error.GetProperty("detail").GetString()));
        }

        return sentences.Find(sentence => !Sentence().IsMatch(sentence ?? "")) is { } no ? $"'{no}' is no sentence" : null;
    }

    private void Note(int seed, int number, FuzzRequest request, string wrong)
    {
        lock (_lock)
        {
            _findings.Add(string.Create(CultureInfo.InvariantCulture, $"seed {seed}, request {number}: {wrong}{Environment.NewLine}    {request}"));
        }
    }

    // A capital letter, words with one blank between them and no blank before a comma or at the end, and a full stop.
    [GeneratedRegex(@"^\p{Lu}(?!.*( [ ,.;:]|\s\z|[\r\n\0])).*\.\z")]
    private static partial Regex Sentence();
}
