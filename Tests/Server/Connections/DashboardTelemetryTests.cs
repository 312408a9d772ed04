using System.Text.Json;
using Xunit;

namespace Platform.Tests.Server.Connections;

/// <summary>What a service sends over OTLP, as it arrives at the real dashboard: metrics over HTTP, spans over gRPC.</summary>
public sealed class DashboardTelemetryTests(MongoServer server, ITestOutputHelper output)
{
    private const string Service = "api";
    private const int Callers = 100;

    // https://opentelemetry.io/docs/specs/semconv/database/database-metrics/
    private static readonly string[] Wanted =
    [
        "db.client.connection.count up-down counter {connection}",
        "db.client.connection.idle.max up-down counter {connection}",
        "db.client.connection.idle.min up-down counter {connection}",
        "db.client.connection.max up-down counter {connection}",
        "db.client.connection.pending_requests up-down counter {request}",
        "db.client.connection.timeouts counter {timeout}",
        "db.client.connection.create_time histogram s",
        "db.client.connection.wait_time histogram s",
        "db.client.connection.use_time histogram s",
        "db.client.operation.duration histogram s",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_and_spans_of_the_database_reach_the_dashboard_by_their_names()
    {
        var program = DashboardProcess.Find();
        Assert.SkipWhen(program is null, "Aspire's dashboard is not among the NuGet packages of this machine.");
        var directory = Directory.CreateTempSubdirectory("dashboard-");
        try
        {
            await ReadBackAsync(program!, directory);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static IEnumerable<JsonElement> SpansOf(JsonElement answer, string scope) =>
        answer.ValueKind == JsonValueKind.Undefined
            ? []
            : from resource in answer.GetProperty("data").GetProperty("resourceSpans").EnumerateArray()
              from scoped in resource.GetProperty("scopeSpans").EnumerateArray()
              where scoped.GetProperty("scope").GetProperty("name").GetString() == scope
              from span in scoped.GetProperty("spans").EnumerateArray()
              select span;

    private static string? AttributeOf(JsonElement span, string key) => span.GetProperty("attributes").EnumerateArray()
        .Where(attribute => attribute.GetProperty("key").GetString() == key)
        .Select(attribute => attribute.GetProperty("value").TryGetProperty("stringValue", out var text) ? text.GetString() : null)
        .FirstOrDefault();

    private async Task ReadBackAsync(string program, DirectoryInfo directory)
    {
        var database = server.NewDatabase();
        await using var dashboard = await DashboardProcess.StartAsync(program, directory, Cancel);
        await using var relay = await OtlpRelay.StartAsync(dashboard.OtlpHttp, Cancel);
        await using var api = ApiProcess.Start(server.ConnectionStringOf(database), ApiProcess.NoCache, new Dictionary<string, string?>
        {
            // A pool so small that callers get no connection in time, so that there is something to tell of every kind.
            ["Mongo__MinPoolSize"] = "0",
            // Else tenants may be in memory before the first request asks for them, and nobody reads them again.
            ["Cache__Warming"] = "false",
            ["Mongo__MaxPoolSize"] = "2",
            ["Mongo__WaitQueueTimeout"] = "00:00:00.010",
            ["Mongo__Gate__Permits"] = "50",
            ["Mongo__Gate__GrowAfter"] = "00:00:00",
            ["OTEL_SERVICE_NAME"] = Service,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = dashboard.OtlpGrpc.ToString(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
            ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = relay.Metrics.ToString(),
            ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "500",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "500",
        });
        await UntilAsync(AnswersAsync, () => "an answer of the API");

        string[] wanted = [.. Wanted.Select(metric => $"{Service} Platform.Mongo {metric}")];
        await UntilAsync(
            async () =>
            {
                await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => AnswersAsync()));
                return wanted.All(relay.Seen.Contains);
            },
            () => $"{string.Join(", ", wanted.Except(relay.Seen))}; seen: {string.Join(", ", relay.Seen)}");
        await UntilAsync(() => Task.FromResult(relay.Delivered > 0), () => "metrics that the dashboard took");
        Assert.Empty(relay.Refused);

        // The dashboard's own view: it has metrics and traces of the service, and a span of the driver by its name.
        await UntilAsync(
            async () => (await dashboard.AskAsync("resources", Cancel)).EnumerateArray().Any(resource =>
                resource.GetProperty("name").GetString() == Service
                && resource.GetProperty("hasMetrics").GetBoolean() && resource.GetProperty("hasTraces").GetBoolean()),
            () => "the service among the dashboard's resources");
        JsonElement[] spans = [];
        await UntilAsync(
            async () =>
            {
                spans = [.. SpansOf(await dashboard.AskAsync($"spans?resource={Service}&limit=5000", Cancel), "MongoDB.Driver")];
                return spans.Any(IsFind) && spans.Any(HasText);
            },
            () => $"a span of the driver; there are: {string.Join(", ", spans.Select(span => span.GetProperty("name").GetString()).Distinct())}");

        Assert.Equal(database.DatabaseNamespace.DatabaseName, AttributeOf(spans.First(IsFind), "db.namespace"));
        output.WriteLine($"{relay.Delivered} exports of metrics, {relay.Seen.Count} metrics, {spans.Length} spans of the driver at the dashboard.");

        static bool IsFind(JsonElement span) => span.GetProperty("name").GetString() == "find" && AttributeOf(span, "db.collection.name") == "tenants";

        // By its shape, without values.
        static bool HasText(JsonElement span) =>
            AttributeOf(span, "db.query.text") is { } text && text.StartsWith("{ find: tenants, filter: { status: ? }", StringComparison.Ordinal);

        Task<bool> AnswersAsync() => api.AnswersAsync("/tenants", Cancel);

        Task UntilAsync(Func<Task<bool>> isThere, Func<string> missing) =>
            Wait.UntilAsync(
                () => api.Process.IsRunning ? isThere() : throw new InvalidOperationException($"The API ended. {api.Process.Output}"),
                missing,
                Wait.Patience,
                Cancel);
    }
}
