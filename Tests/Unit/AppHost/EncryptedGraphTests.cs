using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Mongo;
using Platform.AppHost.Redis;
using Platform.AppHost.Security;
using Platform.AppHost.Settings;
using Platform.Hosting.Mongo;
using Platform.Hosting.Security;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>The graph as data with encrypted connections: what servers and their clients are given, on each engine.</summary>
public sealed class EncryptedGraphTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("encrypted-graph-");

    private string Authority => Path.Combine(_data.FullName, "tls", "ca.pem");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public void Dispose() => _data.Delete(recursive: true);

    [Theory]
    [InlineData("DocumentDb")]
    [InlineData("Mongod")]
    [InlineData("Containers")]
    public async Task Clients_are_told_to_use_TLS_and_whom_to_trust(string engine)
    {
        var (builder, mongo, cache) = Build(engine);
        var api = builder.AddExecutable("service", "true", ".").WithCache(cache);

        Assert.EndsWith(
            $"&tls=true&tlsCAFile={Uri.EscapeDataString(Authority)}", mongo.Resource.ConnectionStringExpression.Format, StringComparison.Ordinal);
        var environment = (await ResourceEnvironments.OfAsync(builder, api.Resource)).Single();
        Assert.Equal(Authority, environment["Cache__TlsCaFile"]);
        Assert.EndsWith(",ssl=true", Assert.IsType<ReferenceExpression>(environment["ConnectionStrings__cache"]).Format, StringComparison.Ordinal);
        Assert.StartsWith("TLS 1.2 and 1.3, certificate until ", Property(mongo.Resource), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Members_and_servers_of_the_image_have_their_certificates_and_no_other_key()
    {
        var (builder, mongo, cache) = Build("DocumentDb");

        var environments = await ResourceEnvironments.OfAsync(builder, [.. mongo.Resource.Servers, cache.Resource]);

        var members = environments[..^1];
        Assert.Equal(3, members.Count);
        Assert.All(members, environment => Assert.Equal(
            (Path.Combine(_data.FullName, "tls", "mongo", "server.pem"), environment["Gateway__TlsCertificateFile"]),
            (environment["Gateway__TlsCertificateFile"], environment["Gateway__TlsKeyFile"])));
        Assert.Equal(Path.Combine(_data.FullName, "tls", "cache"), environments[^1]["REDIS_TLS"]);
    }

    [Fact]
    public async Task Each_node_of_a_cluster_has_the_certificate()
    {
        var (builder, _, cache) = Build("DocumentDb", options => options with { RedisMode = RedisMode.Cluster });
        var cluster = Assert.IsType<RedisClusterResource>(cache.Resource);

        Assert.All(
            await ResourceEnvironments.OfAsync(builder, [.. cluster.Nodes]),
            environment => Assert.Equal(Path.Combine(_data.FullName, "tls", "cache"), environment["REDIS_TLS"]));
        Assert.EndsWith(",ssl=true", cluster.ConnectionStringExpression.Format, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mongod_is_given_its_certificate_and_authority()
    {
        var (builder, mongo, _) = Build("Mongod");

        var environment = (await ResourceEnvironments.OfAsync(builder, mongo.Resource.Servers.Single())).Single();

        Assert.Equal(Authority, environment["MONGO_TLS_CA"]);
        Assert.Equal(Path.Combine(_data.FullName, "tls", "mongo", "server.pem"), environment["MONGO_TLS_CERTIFICATE"]);
    }

    [Fact]
    public async Task Containers_have_the_files_inside_and_health_checks_that_use_TLS()
    {
        var (builder, mongo, cache) = Build("Containers");
        var members = Assert.IsType<MongoDBServerResource>(mongo.Resource.Servers.Single());
        var redis = Assert.IsType<RedisResource>(cache.Resource);

        var environment = (await ResourceEnvironments.OfAsync(builder, members)).Single();
        Assert.Equal(("/replica-set/ca.pem", "/replica-set/server.pem"), (environment["MONGO_TLS_CA"], environment["MONGO_TLS_CERTIFICATE"]));
        var files = await FilesOf(members);
        Assert.Equal(["ca.pem", "mongod-replica-set", "server.pem"], files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(UnixFileMode.UserRead, files["server.pem"].Mode);
        Assert.Contains("PRIVATE KEY", files["server.pem"].Contents, StringComparison.Ordinal);
        // Aspire's own would ask without TLS; that of the set asks for the members.
        Assert.Empty(members.Annotations.OfType<HealthCheckAnnotation>());
        Assert.NotEmpty(mongo.Resource.Annotations.OfType<HealthCheckAnnotation>());

        files = await FilesOf(redis);
        Assert.Equal(["ca.pem", "redis.conf", "server.pem"], files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((UnixFileMode.UserRead, RedisImage.User), (files["server.pem"].Mode, files["server.pem"].Owner));
        Assert.Contains("\nport 0\n", files["redis.conf"].Contents, StringComparison.Ordinal);
        Assert.Contains("\ntls-port 6379\ntls-cert-file /platform/server.pem\n", files["redis.conf"].Contents, StringComparison.Ordinal);
        Assert.Equal("cache_tls_check", Assert.Single(redis.Annotations.OfType<HealthCheckAnnotation>()).Key);
        Assert.True(redis.PrimaryEndpoint.EndpointAnnotation.TlsEnabled);
    }

    [Theory]
    [InlineData("Containers")]
    [InlineData("Mongod")]
    [InlineData("DocumentDb")]
    public async Task Every_health_check_has_a_name_of_its_own(string engine)
    {
        await using var app = Build(engine).Builder.Build();
        // Made of all registrations, of which two of one name are an error.
        Assert.NotNull(app.Services.GetRequiredService<HealthCheckService>());
    }

    [Theory]
    [InlineData("DocumentDb", false, "NOT ENCRYPTED (Platform:Tls is false)")]
    [InlineData("External", true, "as the connection string says")]
    public async Task Without_certificates_nothing_is_encrypted_and_the_dashboard_says_so(string engine, bool tls, string property)
    {
        var (builder, mongo, cache) = Build(engine, options => options with { Tls = tls });
        var service = builder.AddExecutable("service", "true", ".").WithCache(cache);

        Assert.False(Directory.Exists(Path.Combine(_data.FullName, "tls")));
        Assert.DoesNotContain("tls", mongo.Resource.ConnectionStringExpression.Format, StringComparison.Ordinal);
        Assert.Equal(property, Property(mongo.Resource));
        Assert.All(
            await ResourceEnvironments.OfAsync(builder, [.. mongo.Resource.Servers, service.Resource]),
            environment => Assert.DoesNotContain(environment.Keys, key => key.Contains("TLS", StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData("127.0.0.1:7,password=a b,ssl=true", "/stack/ca.pem", "-h 127.0.0.1 -p 7 --user default --tls --cacert /stack/ca.pem")]
    [InlineData("127.0.0.1:7,password=a b", null, "-h 127.0.0.1 -p 7 --user default")]
    public void The_arguments_of_redis_cli_name_the_authority_and_not_the_password(string connectionString, string? authority, string arguments)
    {
        Assert.Equal(arguments, RedisEntryExtensions.Arguments(connectionString, authority));
        Assert.Equal("a b", RedisEntryExtensions.Password(connectionString));
    }

    private Graph Build(string engine, Func<PlatformOptions, PlatformOptions>? change = null)
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = ["--ConnectionStrings:platform=mongodb://db.example/platform", "--ConnectionStrings:cache=redis.example"], DisableDashboard = true,
        });
        var options = new PlatformOptions
        {
            EngineChoice = new(Enum.Parse<Engine>(engine), "asked for by the test"), DataDirectory = _data.FullName, ServerImage = "/image", Tls = true,
        };
        options = change?.Invoke(options) ?? options;
        var certificates = builder.AddCertificates(options);
        return new Graph(
            builder, builder.AddMongoReplicaSet(ResourceNames.Mongo, options, certificates), builder.AddCache(ResourceNames.Cache, options, certificates));
    }

    private static string? Property(MongoReplicaSetResource resource) => (string?)Assert.Single(resource.Annotations.OfType<ResourceSnapshotAnnotation>())
        .InitialSnapshot.Properties.Single(property => property.Name == EncryptedInTransit.Property).Value;

    private static async Task<Dictionary<string, ContainerFile>> FilesOf(ContainerResource container)
    {
        var files = Assert.Single(container.Annotations.OfType<ContainerFileSystemCallbackAnnotation>());
        Assert.Equal(container is MongoDBServerResource ? "/replica-set" : "/platform", files.DestinationPath);
        return (await files.Callback(new ContainerFileSystemCallbackContext { Model = container, Services = null! }, Cancel))
            .Cast<ContainerFile>().ToDictionary(file => file.Name);
    }

    private sealed record Graph(
        IDistributedApplicationBuilder Builder, IResourceBuilder<MongoReplicaSetResource> Mongo, IResourceBuilder<IResourceWithConnectionString> Cache);
}
