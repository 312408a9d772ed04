using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class OpenApiTests : IDisposable
{
    private readonly ApiFactory _api = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task The_document_has_every_route_with_a_summary_and_its_answers()
    {
        var document = await DocumentAsync();
        var routes = _api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/tenants", StringComparison.Ordinal))
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods
                .Select(method => (Path: endpoint.RoutePattern.RawText!.TrimEnd('/'), Method: method)))
            .ToList();

        Assert.Equal(8, routes.Count);
        foreach (var (path, method) in routes)
        {
            // The method is not called lower-case by accident: that is how the format spells it.
            var operation = document.GetProperty("paths").GetProperty(path).GetProperty(method.ToLowerInvariant());
            Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
            var success = operation.GetProperty("responses").EnumerateObject().Single(answer => answer.Name.StartsWith('2')).Value;
            Assert.True(success.GetProperty("content").GetProperty("application/json").TryGetProperty("schema", out _));
            Assert.True(operation.GetProperty("responses").GetProperty("503").GetProperty("content").TryGetProperty("application/problem+json", out _));
        }
    }

    [Fact]
    public async Task In_development_there_is_a_page_of_it_that_may_load_its_own_parts_alone()
    {
        using var api = new ApiFactory { Settings = { ["Environment"] = "Development" } };
        using var http = api.CreateClient();
        using var answer = await http.GetAsync("/scalar", Cancellation);
        var page = await answer.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(("text/html", HttpStatusCode.OK), (answer.Content.Headers.ContentType!.MediaType, answer.StatusCode));
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        // What it loads is here, and the document that it shows.
        var script = Regex.Match(page, "src=\"([^\"]+)\"").Groups[1].Value;
        using var loaded = await http.GetAsync(new Uri(answer.RequestMessage!.RequestUri!, script), Cancellation);
        Assert.Equal(HttpStatusCode.OK, loaded.StatusCode);
        Assert.Contains("openapi/v1.json", page, StringComparison.Ordinal);
        // Nothing but pages is one: the rest of the API stays as closed as it is.
        using var data = await http.GetAsync("/openapi/v1.json", Cancellation);
        Assert.StartsWith("default-src 'none'", Assert.Single(data.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parameters_that_are_read_as_text_are_described_by_their_meaning()
    {
        var document = await DocumentAsync();

        var limit = Parameter(document, "/tenants/{tenant}/products", "limit");
        var lon = Parameter(document, "/tenants/{tenant}/stores/near", "lon");

        Assert.Equal("integer", limit.GetProperty("schema").GetProperty("type").GetString());
        Assert.Equal(100, limit.GetProperty("schema").GetProperty("maximum").GetInt32());
        Assert.False(limit.TryGetProperty("required", out var required) && required.GetBoolean());
        Assert.True(lon.GetProperty("required").GetBoolean());
        Assert.Equal(-180, lon.GetProperty("schema").GetProperty("minimum").GetInt32());
    }

    [Fact]
    public async Task Prices_are_numbers_and_ids_are_strings()
    {
        var document = await DocumentAsync();

        var product = document.GetProperty("components").GetProperty("schemas").GetProperty("ProductDetails").GetProperty("properties");

        Assert.Equal("number", product.GetProperty("price").GetProperty("type").GetString());
        Assert.Equal("string", product.GetProperty("id").GetProperty("type").GetString());
    }

    private static JsonElement Parameter(JsonElement document, string path, string name) =>
        document.GetProperty("paths").GetProperty(path).GetProperty("get").GetProperty("parameters").EnumerateArray()
            .Single(parameter => parameter.GetProperty("name").GetString() == name);

    private async Task<JsonElement> DocumentAsync()
    {
        using var client = _api.CreateClient();
        return await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json", Cancellation);
    }
}
