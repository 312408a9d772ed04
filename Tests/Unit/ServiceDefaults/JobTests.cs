using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

[Collection(nameof(SpanTests))]
public sealed class JobTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_job_ends_with_the_exit_code_of_its_work(int exitCode) =>
        Assert.Equal(exitCode, await Host([]).RunJobAsync("seed", (_, _) => Task.FromResult(exitCode), Cancellation));

    [Fact]
    public async Task A_job_that_throws_ends_with_1() =>
        Assert.Equal(1, await Host([]).RunJobAsync(
            "seed", (_, _) => Task.FromException<int>(new InvalidOperationException("no database")), Cancellation));

    [Fact]
    public async Task A_job_that_is_stopped_ends_with_130()
    {
        var exitCode = await Host([]).RunJobAsync(
            "seed",
            async (services, token) =>
            {
                // What Ctrl-C and SIGTERM lead to.
                services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
                await Task.Delay(Timeout.Infinite, token);
                return 0;
            },
            Cancellation);

        Assert.Equal(130, exitCode);
    }

    [Fact]
    public async Task A_job_whose_host_cannot_start_ends_with_1()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.AddServiceDefaults();
        builder.Services.Configure<Platform.ServiceDefaults.HealthEndpointOptions>(options => options.Timeout = TimeSpan.Zero);

        Assert.Equal(1, await builder.Build().RunJobAsync("seed", (_, _) => Task.FromResult(0), Cancellation));
    }

    [Fact]
    public async Task The_span_of_a_job_is_exported_before_it_ends()
    {
        var spans = new List<Activity>();

        await Host(spans).RunJobAsync("seed", (_, _) => Task.FromResult(2), Cancellation);

        var span = Assert.Single(spans);
        Assert.Equal("job seed", span.DisplayName);
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.Equal(2, span.GetTagItem("process.exit.code"));
    }

    private static IHost Host(List<Activity> spans)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.AddServiceDefaults();
        // A batch that would wait a minute: only the flush at the end can bring the span out in time.
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(
            new BatchActivityExportProcessor(new ListExporter(spans), scheduledDelayMilliseconds: 60_000)));
        return builder.Build();
    }

    private sealed class ListExporter(List<Activity> spans) : BaseExporter<Activity>
    {
        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var span in batch)
            {
                spans.Add(span);
            }

            return ExportResult.Success;
        }
    }
}
