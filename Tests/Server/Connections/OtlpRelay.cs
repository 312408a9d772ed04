using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.Tests.Server.Connections;

/// <summary>
/// Stands before an OTLP/HTTP receiver: reads which metrics pass, hands them on unchanged, and notes what the receiver said. (The
/// dashboard tells by its API whether a resource has metrics, and not which.)
/// </summary>
/// <remarks>
/// The messages: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
/// </remarks>
internal sealed class OtlpRelay : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _receiver;
    private readonly ConcurrentDictionary<string, byte> _metrics = new();
    private int _delivered;

    private OtlpRelay(Uri receiver)
    {
        _receiver = new HttpClient { BaseAddress = receiver };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapPost("/v1/metrics", RelayAsync);
    }

    /// <summary>Where it takes metrics.</summary>
    public Uri Metrics =>
        new($"{_app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()}/v1/metrics");

    /// <summary>What passed, as <c>service scope name kind unit</c>.</summary>
    public IReadOnlyCollection<string> Seen => [.. _metrics.Keys];

    /// <summary>How many times the receiver took everything.</summary>
    public int Delivered => Volatile.Read(ref _delivered);

    /// <summary>What the receiver refused.</summary>
    public ConcurrentQueue<string> Refused { get; } = new();

    /// <summary>Starts it.</summary>
    public static async Task<OtlpRelay> StartAsync(Uri receiver, CancellationToken cancellationToken)
    {
        var relay = new OtlpRelay(receiver);
        await relay._app.StartAsync(cancellationToken);
        return relay;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _receiver.Dispose();
    }

    // ExportMetricsServiceRequest: 1 resource_metrics. ResourceMetrics: 1 resource, 2 scope_metrics. ScopeMetrics: 1 scope, 2 metrics.
    private void Read(ReadOnlySpan<byte> request)
    {
        for (var resources = new ProtobufFields(request); resources.Next();)
        {
            var service = "";
            for (var resource = new ProtobufFields(resources.Bytes); resource.Next();)
            {
                if (resource.Number == 1)
                {
                    service = ServiceOf(resource.Bytes);
                }
                else if (resource.Number == 2)
                {
                    ReadScope(service, resource.Bytes);
                }
            }
        }
    }

    private void ReadScope(string service, ReadOnlySpan<byte> scopeMetrics)
    {
        var name = "";
        for (var scope = new ProtobufFields(scopeMetrics); scope.Next();)
        {
            if (scope.Number == 1)
            {
                name = TextOf(scope.Bytes, 1);
            }
            else if (scope.Number == 2)
            {
                _metrics[$"{service} {name} {Describe(scope.Bytes)}"] = 0;
            }
        }
    }

    // Metric: 1 name, 3 unit, and one of 5 gauge, 7 sum, 9 histogram. Sum: 3 is_monotonic.
    private static string Describe(ReadOnlySpan<byte> metric)
    {
        var (name, unit, kind) = ("", "", "unknown");
        for (var fields = new ProtobufFields(metric); fields.Next();)
        {
            switch (fields.Number)
            {
                case 1: name = fields.Text; break;
                case 3: unit = fields.Text; break;
                case 5: kind = "gauge"; break;
                case 7: kind = NumberOf(fields.Bytes, 3) == 1 ? "counter" : "up-down counter"; break;
                case 9: kind = "histogram"; break;
            }
        }

        return $"{name} {kind} {unit}";
    }

    // Resource: 1 attributes. KeyValue: 1 key, 2 value. AnyValue: 1 string_value.
    private static string ServiceOf(ReadOnlySpan<byte> resource)
    {
        for (var attributes = new ProtobufFields(resource); attributes.Next();)
        {
            if (attributes.Number == 1 && TextOf(attributes.Bytes, 1) == "service.name")
            {
                for (var pair = new ProtobufFields(attributes.Bytes); pair.Next();)
                {
                    if (pair.Number == 2)
                    {
                        return TextOf(pair.Bytes, 1);
                    }
                }
            }
        }

        return "";
    }

    private static string TextOf(ReadOnlySpan<byte> message, int number)
    {
        for (var fields = new ProtobufFields(message); fields.Next();)
        {
            if (fields.Number == number)
            {
                return fields.Text;
            }
        }

        return "";
    }

    private static ulong NumberOf(ReadOnlySpan<byte> message, int number)
    {
        for (var fields = new ProtobufFields(message); fields.Next();)
        {
            if (fields.Number == number)
            {
                return fields.Value;
            }
        }

        return 0;
    }

    // ExportMetricsServiceResponse: 1 partial_success. ExportMetricsPartialSuccess: 1 rejected_data_points, 2 error_message.
    private static string? RefusalOf(ReadOnlySpan<byte> answer)
    {
        for (var fields = new ProtobufFields(answer); fields.Next();)
        {
            if (fields.Number == 1 && NumberOf(fields.Bytes, 1) is var rejected and > 0)
            {
                return $"{rejected} data points: {TextOf(fields.Bytes, 2)}";
            }
        }

        return null;
    }

    private async Task RelayAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        var request = body.ToArray();
        Read(request);

        using var content = new ByteArrayContent(request);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(http.Request.ContentType!);
        using var answer = await _receiver.PostAsync(new Uri("/v1/metrics", UriKind.Relative), content, http.RequestAborted);
        var text = await answer.Content.ReadAsByteArrayAsync(http.RequestAborted);
        if (answer.StatusCode == HttpStatusCode.OK && RefusalOf(text) is null)
        {
            Interlocked.Increment(ref _delivered);
        }
        else
        {
            Refused.Enqueue(answer.StatusCode == HttpStatusCode.OK ? RefusalOf(text)! : answer.StatusCode.ToString());
        }

        http.Response.StatusCode = (int)answer.StatusCode;
        http.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        await http.Response.Body.WriteAsync(text, http.RequestAborted);
    }
}
