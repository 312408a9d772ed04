using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Platform.AppHost.Mongo;
using Platform.AppHost.Redis;
using Platform.AppHost.Security;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;
using Platform.Hosting.Mongo;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>
/// The engine <c>containers</c> on a real container runtime, where there is one: with TLS, as by itself, with the real Redis, and members that hold no data.
/// </summary>
[Collection(TestCollections.Cache)]
public sealed class ContainersTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task Servers_in_containers_become_healthy_stop_by_themselves_keep_their_data_and_say_what_a_wrong_password_means()
    {
        await using var image = await ContainerImage.MakeAsync(Token);
        var data = Directory.CreateTempSubdirectory("containers-").FullName;
        try
        {
            await using (var app = Build(image, data, password: "first"))
            {
                await StartAsync(app);
                await using var redis = await ConnectAsync(app);
                await redis.GetDatabase().StringSetAsync("kept", "yes");
                var goodbye = app.UntilSaidAsync("cache", "Redis is now ready to exit, bye bye...", s_patience, Token);
                await app.StopAsync(Token);
                // The runtime kills what does not end by itself within ten seconds.
                await goodbye;
            }

            await using (var app = Build(image, data, password: "first"))
            {
                await StartAsync(app);
                await using var redis = await ConnectAsync(app);
                Assert.Equal("yes", await redis.GetDatabase().StringGetAsync("kept"));
                await app.StopAsync(Token);
            }

            await using (var app = Build(image, data, password: "second"))
            {
                using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
                var starting = app.StartAsync(enough.Token);
                var cause = await UntilCauseAsync(app, "reader");
                Assert.Contains(
                    $"Restore the AppHost's user secret Parameters:mongo-password, or remove the volume {DataVolume.NameOf(data, "mongo")}",
                    cause,
                    StringComparison.Ordinal);
                await enough.CancelAsync();
                await starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                await app.StopAsync(Token);
            }
        }
        finally
        {
            await TestStack.RemoveDataAsync(data);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task An_image_that_is_not_there_is_the_first_cause()
    {
        var runtime = Machine.Here.FindContainerRuntime();
        Assert.SkipUnless(runtime.Answers, $"Images are pulled by a container runtime: {runtime}.");
        var data = Directory.CreateTempSubdirectory("containers-").FullName;
        try
        {
            await using var app = Build(runtime.Program!, "localhost/platform-test:missing", data, "first", withCache: false);
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var starting = app.StartAsync(enough.Token);
            Assert.StartsWith("mongo-members ", await UntilCauseAsync(app, "reader"), StringComparison.Ordinal);
            await enough.CancelAsync();
            await starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            await app.StopAsync(Token);
        }
        finally
        {
            await TestStack.RemoveDataAsync(data);
        }
    }

    private static DistributedApplication Build(ContainerImage image, string data, string password)
        => Build(image.Runtime, image.Name, data, password, withCache: true);

    private static DistributedApplication Build(string runtime, string image, string data, string password, bool withCache)
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args =
            [
                $"--Parameters:mongo-password={password}", "--Parameters:mongo-keyfile=0123456789abcdef", "--Parameters:cache-password=one",
                "--Parameters:cache-api-password=two", "--environment=Development", $"--DcpPublisher:ContainerRuntime={runtime}",
            ],
            AssemblyName = "Platform.AppHost",
            DisableDashboard = true,
        });
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        var options = new PlatformOptions
        {
            EngineChoice = new(Engine.Containers, "asked for by the test"), DataDirectory = data, ServerImage = data, MongoImage = image, RedisImage = image,
            Tls = true,
        };
        var certificates = builder.AddCertificates(options);
        var shop = builder.AddMongoReplicaSet("mongo", options, certificates).AddReplicaSetDatabase("shop");
        builder.AddExecutable("reader", "true", ".").WithAnnotation(new JobAnnotation()).WaitFor(shop, WaitBehavior.WaitOnResourceUnavailable);
        if (withCache)
        {
            builder.AddCache("cache", options, certificates);
        }

        return builder.ReportFailures().StopInOrder().Build();
    }

    private static async Task StartAsync(DistributedApplication app)
    {
        var starting = app.StartAsync(Token);
        await app.UntilHealthyAsync("mongo", s_patience, Token);
        await app.UntilHealthyAsync("cache", s_patience, Token);
        await app.UntilDoneAsync("reader", s_patience, Token);
        await starting;
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(DistributedApplication app)
        => await ConnectionMultiplexer.ConnectAsync(await app.CacheOptionsAsync(Token));

    private static async Task<string> UntilCauseAsync(DistributedApplication app, string resource)
    {
        var change = await app.ResourceNotifications
            .WaitForResourceAsync(resource, change => change.Snapshot.FirstCause() is not null, Token)
            .WaitAsync(s_patience, Token);
        return change.Snapshot.FirstCause()!;
    }
}
