using System.Diagnostics;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Platform.ServiceDefaults;
using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

[Collection(nameof(SpanTests))]
public sealed class TelemetryTests
{
    // Nobody listens there; what is not measured for anybody could not be seen here either.
    private const string Nowhere = "http://127.0.0.1:9";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("http://127.0.0.1:4317", true)]
    public void Telemetry_leaves_the_process_only_when_an_endpoint_is_configured(string? endpoint, bool exported)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]);

        builder.AddServiceDefaults();

        using var host = builder.Build();
        Assert.Equal(exported, host.Services.GetService<TracerProvider>() is not null);
        Assert.Equal(exported, builder.Services.Any(service =>
            service.ServiceType.Assembly.GetName().Name == "OpenTelemetry.Exporter.OpenTelemetryProtocol"
            && service.ServiceType.Name.Contains("UseOtlpExporter", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Probes_leave_no_spans_and_requests_do()
    {
        var spans = Channel.CreateUnbounded<Activity>();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection([new(ServiceDefaultsExtensions.OtlpEndpointKey, Nowhere)]);
        builder.AddServiceDefaults();
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(new SpanQueue(spans.Writer)));
        await using var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapGet("/hello", () => "hello");
        await app.StartAsync(Cancellation);
        using var client = app.GetTestClient();

        await client.GetAsync("/health", Cancellation);
        await client.GetAsync("/alive", Cancellation);
        await client.GetAsync("/hello", Cancellation);

        // A span ends a moment after the answer has arrived; the probes' would have ended before this one.
        Assert.Equal("GET /hello", (await spans.Reader.ReadAsync(Cancellation)).DisplayName);
        Assert.False(spans.Reader.TryRead(out _));
    }

    [Theory]
    [InlineData("Platform.Orders")]
    [InlineData("MongoDB.Driver")]
    public void Spans_of_the_platform_and_of_its_database_clients_are_collected(string source)
    {
        var spans = new List<Activity>();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new(ServiceDefaultsExtensions.OtlpEndpointKey, Nowhere)]);
        builder.AddServiceDefaults();
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddInMemoryExporter(spans));
        using var host = builder.Build();
        _ = host.Services.GetRequiredService<TracerProvider>();

        using (var activities = new ActivitySource(source))
        {
            activities.StartActivity("probe")?.Dispose();
        }

        Assert.Equal("probe", Assert.Single(spans).DisplayName);
    }

    [Fact]
    public void Every_trace_is_recorded_while_there_are_few_and_so_many_a_second_under_load()
    {
        var time = new FakeTimeProvider();
        var sampler = new TraceRateSampler(time);
        int Recorded(int traces) => Enumerable.Range(0, traces).Count(_ => sampler.ShouldSample(default).Decision == SamplingDecision.RecordAndSample);

        Assert.Equal(500, Recorded(500));
        Assert.Equal(0, Recorded(1000));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(50, Recorded(1000));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(500, Recorded(1000));
    }

    [Fact]
    public void Calls_that_nobody_asked_for_leave_no_trace()
    {
        var spans = new List<Activity>();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new(ServiceDefaultsExtensions.OtlpEndpointKey, Nowhere)]);
        builder.AddServiceDefaults();
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddInMemoryExporter(spans));
        using var host = builder.Build();
        _ = host.Services.GetRequiredService<TracerProvider>();
        using var activities = new ActivitySource("Platform.Orders");

        activities.StartActivity("of nobody", ActivityKind.Client)?.Dispose();
        using (activities.StartActivity("request", ActivityKind.Server))
        {
            activities.StartActivity("of the request", ActivityKind.Client)?.Dispose();
        }

        Assert.Equal(["of the request", "request"], spans.Select(span => span.DisplayName));
    }

    [Fact]
    public void The_driver_names_its_source_as_we_listen_to_it() =>
        Assert.Contains(MongoDB.Driver.MongoTelemetry.ActivitySourceName, Platform.ServiceDefaults.TelemetryNames.Sources);

    [Fact]
    public void The_resource_names_the_service_and_its_environment()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = "shop", EnvironmentName = "Staging" });
        builder.Configuration.AddInMemoryCollection([new(ServiceDefaultsExtensions.OtlpEndpointKey, Nowhere)]);
        builder.AddServiceDefaults();
        using var host = builder.Build();

        var attributes = host.Services.GetRequiredService<TracerProvider>().GetResource().Attributes
            .ToDictionary(attribute => attribute.Key, attribute => attribute.Value);

        Assert.Equal("shop", attributes["service.name"]);
        Assert.Equal("Staging", attributes["deployment.environment.name"]);
        Assert.Equal("opentelemetry", attributes["telemetry.sdk.name"]);
    }

    [Fact]
    public async Task An_outgoing_POST_that_fails_is_not_repeated()
    {
        var handler = new CountingHandler();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddServiceDefaults();
        builder.Services.AddHttpClient("peer").ConfigurePrimaryHttpMessageHandler(() => handler);
        using var host = builder.Build();
        using var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("peer");

        var answer = await client.PostAsync(new Uri("http://peer.example/orders"), new StringContent("{}"), Cancellation);

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal(1, handler.Calls);
    }

    private sealed class CountingHandler : HttpMessageHandler
    {
        public int Calls { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Calls++;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.InternalServerError));
        }
    }

    private sealed class SpanQueue(ChannelWriter<Activity> spans) : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data) => spans.TryWrite(data);
    }
}
