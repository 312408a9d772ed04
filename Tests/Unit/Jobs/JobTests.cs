using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Platform.Jobs;
using Platform.ServiceDefaults;
using Platform.Tests.Unit.ServiceDefaults;
using Xunit;

namespace Platform.Tests.Unit.Jobs;

[Collection(nameof(SpanTests))]
public sealed class JobTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_job_ends_with_the_exit_code_of_its_work(int exitCode) =>
        Assert.Equal(exitCode, await new Job("seed").RunAsync(() => Host([]), (_, _) => Task.FromResult(exitCode), Cancellation));

    [Fact]
    public async Task A_job_that_throws_ends_with_1() =>
        Assert.Equal(1, await new Job("seed").RunAsync(
            () => Host([]), (_, _) => Task.FromException<int>(new InvalidOperationException("no database")), Cancellation));

    [Fact]
    public async Task A_failure_with_an_exit_code_of_its_own_is_told_and_passed_on()
    {
        var spans = new List<Activity>();
        var told = new List<(int, string)>();
        var job = new Job("seed")
        {
            ExitCodeOf = exception => exception is TimeoutException ? 75 : null,
            Failed = (exitCode, sentence) =>
            {
                told.Add((exitCode, sentence));
                return Task.CompletedTask;
            },
        };

        Assert.Equal(75, await job.RunAsync(() => Host(spans), (_, _) => throw new TimeoutException("another one\nis at work"), Cancellation));

        Assert.Equal((75, "another one is at work"), Assert.Single(told));
        Assert.Equal(75, Assert.Single(spans).GetTagItem("process.exit.code"));
    }

    [Fact]
    public async Task A_job_that_is_stopped_ends_with_130()
    {
        var exitCode = await new Job("seed").RunAsync(
            () => Host([]),
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
    public async Task A_wrong_setting_ends_a_job_with_78_before_it_does_anything()
    {
        var told = "";
        var job = new Job("seed")
        {
            Failed = (_, sentence) =>
            {
                told = sentence;
                return Task.CompletedTask;
            },
        };

        Assert.Equal(78, await job.RunAsync(() => Wrong(TimeSpan.Zero), (_, _) => throw new InvalidOperationException("ran"), Cancellation));

        Assert.NotEmpty(told);
    }

    [Fact]
    public async Task A_word_where_a_number_has_to_be_is_a_wrong_setting_too()
    {
        var told = "";
        var job = new Job("seed")
        {
            Failed = (_, sentence) =>
            {
                told = sentence;
                return Task.CompletedTask;
            },
        };
        var builder = Builder();
        builder.Configuration["Health:Timeout"] = "soon";
        builder.Services.AddOptions<HealthEndpointOptions>("named").BindConfiguration("Health").ValidateOnStart();

        Assert.Equal(78, await job.RunAsync(builder.Build, (_, _) => throw new InvalidOperationException("ran"), Cancellation));

        Assert.Contains("'soon' at 'Health:Timeout'", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_setting_ends_a_service_with_78_and_what_a_person_can_mend_with_a_sentence()
    {
        Assert.Equal(0, await ServiceProgram.RunAsync("api", () => Task.CompletedTask));
        Assert.Equal(78, await ServiceProgram.RunAsync("api", () =>
        {
            Wrong(TimeSpan.Zero).CheckSettings();
            return Task.CompletedTask;
        }));
        Assert.Equal(
            69, await ServiceProgram.RunAsync("api", () => throw new TimeoutException("no engine"), exception => exception is TimeoutException ? 69 : null));
        await Assert.ThrowsAsync<InvalidOperationException>(() => ServiceProgram.RunAsync("api", () => throw new InvalidOperationException("a defect")));
    }

    [Fact]
    public async Task The_span_of_a_job_is_exported_before_it_ends()
    {
        var spans = new List<Activity>();

        await new Job("seed").RunAsync(() => Host(spans), (_, _) => Task.FromResult(2), Cancellation);

        var span = Assert.Single(spans);
        Assert.Equal("job seed", span.DisplayName);
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.Equal(2, span.GetTagItem("process.exit.code"));
    }

    private static HostApplicationBuilder Builder()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        // Nobody listens there; what is not measured for anybody could not be seen here either.
        builder.Configuration.AddInMemoryCollection([new(ServiceDefaultsExtensions.OtlpEndpointKey, "http://127.0.0.1:9")]);
        builder.AddServiceDefaults();
        return builder;
    }

    private static IHost Wrong(TimeSpan timeout)
    {
        var builder = Builder();
        builder.Services.Configure<HealthEndpointOptions>(options => options.Timeout = timeout);
        return builder.Build();
    }

    private static IHost Host(List<Activity> spans)
    {
        var builder = Builder();
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
