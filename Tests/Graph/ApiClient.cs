using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>Calls the API as any client would: by its JSON, without the API's own types.</summary>
internal static class ApiClient
{
    public static async Task<JsonElement> GetJsonAsync(this HttpClient api, string path)
    {
        using var response = await api.GetAsync(path, TestContext.Current.CancellationToken);
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    public static Task<HttpResponseMessage> PostAsync(this HttpClient api, string path, object body)
        => api.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);

    /// <summary>The body as JSON, once the status is the expected one; otherwise the test fails and shows the body.</summary>
    public static async Task<JsonElement> ReadAsync(this HttpResponseMessage response, HttpStatusCode expected)
    {
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(
            response.StatusCode == expected,
            $"{response.RequestMessage?.RequestUri} answered {(int)response.StatusCode}, not {(int)expected}: {body}");
        if ((int)expected >= 400)
        {
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }

        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>The places that a problem names as wrong: JSON pointers into the body, or names of parameters and headers.</summary>
    public static IEnumerable<string> Fields(this JsonElement problem)
        => problem.GetProperty("errors").EnumerateArray().Select(error =>
            error.EnumerateObject().Single(member => member.Name is "pointer" or "parameter" or "header").Value.GetString()!);

    public static string Text(this JsonElement element, string property)
        => element.GetProperty(property).GetString() ?? throw new InvalidOperationException($"{property} is null.");
}
