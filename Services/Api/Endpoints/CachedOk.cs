using System.Globalization;
using System.Net.Mime;
using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Entries;

namespace Platform.Api.Endpoints;

/// <summary>
/// 200 with JSON that is there already, and is written as it is; 304 to who has it
/// (<see href="https://www.rfc-editor.org/rfc/rfc9110#name-304-not-modified"/>).
/// The headers say how old it is, what it is named, and who may keep it; <c>X-Cache</c> says where it came from.
/// </summary>
/// <typeparam name="TValue">What it is the JSON of, for the document of the API.</typeparam>
/// <param name="answer">What the cache answered.</param>
/// <param name="definition">Which cache.</param>
internal sealed class CachedOk<TValue>(CacheAnswer answer, CacheDefinition definition) : IResult, IEndpointMetadataProvider, IStatusCodeHttpResult
{
    /// <summary>The header that says where an answer came from: <c>hit</c>, <c>miss</c> or <c>stale</c>.</summary>
    public const string OutcomeHeader = "X-Cache";

    private const string ContentType = $"{MediaTypeNames.Application.Json}; charset=utf-8";

    /// <inheritdoc/>
    public int? StatusCode => StatusCodes.Status200OK;

    /// <inheritdoc/>
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(TValue), [MediaTypeNames.Application.Json]));
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status304NotModified));
    }

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        var entry = answer.Entry;
        response.Headers.ETag = entry.ETag;
        response.Headers.CacheControl = definition.CacheControl;
        response.Headers[OutcomeHeader] = answer.Outcome.Word();
        if (answer.Outcome != CacheOutcome.Miss)
        {
            var seconds = Math.Max(0, (DateTime.UtcNow.Ticks - entry.ReadAt) / TimeSpan.TicksPerSecond);
            response.Headers.Age = seconds == 0 ? "0" : seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (httpContext.Request.Headers.IfNoneMatch is { Count: > 0 } known && Knows(known, entry.ETag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = ContentType;
        response.ContentLength = entry.Content.Length;
        return response.Body.WriteAsync(entry.Content, httpContext.RequestAborted).AsTask();
    }

    // By the weak comparison, as RFC 9110 has it for If-None-Match.
    private static bool Knows(StringValues known, string etag) =>
        EntityTagHeaderValue.TryParseList(known.ToArray()!, out var tags)
        && tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Tag.Equals(etag, StringComparison.Ordinal));
}
