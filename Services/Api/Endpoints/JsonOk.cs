using System.Net.Mime;
using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;

namespace Platform.Api.Endpoints;

/// <summary>200 with JSON that is there already, and is written as it is.</summary>
/// <typeparam name="TValue">What it is the JSON of, for the document of the API.</typeparam>
/// <param name="json">The JSON, in UTF-8.</param>
internal sealed class JsonOk<TValue>(ReadOnlyMemory<byte> json) : IResult, IEndpointMetadataProvider, IStatusCodeHttpResult
{
    private const string ContentType = $"{MediaTypeNames.Application.Json}; charset=utf-8";

    /// <inheritdoc/>
    public int? StatusCode => StatusCodes.Status200OK;

    /// <inheritdoc/>
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(TValue), [MediaTypeNames.Application.Json]));

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = ContentType;
        response.ContentLength = json.Length;
        return response.Body.WriteAsync(json, httpContext.RequestAborted).AsTask();
    }
}
