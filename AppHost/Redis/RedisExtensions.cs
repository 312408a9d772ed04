using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Commands;
using Platform.AppHost.Security;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;
using Platform.Hosting.Mongo;
using Platform.Hosting.Security;
using Platform.Hosting.Servers;

namespace Platform.AppHost.Redis;

internal static class RedisExtensions
{
    // One configuration, whoever runs the server; the script beside it reads it, too.
    private const string Configuration = "redis.conf";
    private const string TlsConfiguration = "redis-tls.conf";
    private const string Users = "redis-users.acl";
    private const string ContainerFiles = "/platform";

    /// <summary>
    /// Adds the Redis cache, run by the engine of <paramref name="options"/>. It is healthy when it answers an authenticated client; a cluster, when all of its
    /// nodes do.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the cache's resource.</param>
    /// <param name="options">The settings.</param>
    /// <param name="certificates">Who gives the servers their certificate; null: they take connections without TLS.</param>
    public static IResourceBuilder<IResourceWithConnectionString> AddCache(
        this IDistributedApplicationBuilder builder, string name, PlatformOptions options, StackCertificates? certificates = null)
    {
        if (options.Engine == Engine.External)
        {
            return builder.AddConnectionString(name);
        }

        var password = builder.AddGeneratedSecret($"{name}-password", length: 22);
        var users = CacheLogin.Users.ToDictionary(
            user => user, user => builder.AddGeneratedSecret($"{name}-{user}-password", length: 22).WithPasswordFile(options.DataDirectory));
        var certificate = certificates?.Of(name, options.Engine == Engine.Containers ? [name] : []);
        return options.Engine == Engine.Containers ? AddContainer(builder, name, options, certificate, password, users)
            : options.RedisMode == RedisMode.Cluster ? AddCluster(builder, name, options, certificate, password, users)
            : AddSingle(builder, name, options, certificate, password, users);
    }

    private static IResourceBuilder<RedisResource> AddContainer(
        IDistributedApplicationBuilder builder, string name, PlatformOptions options, ServerCertificate? certificate,
        IResourceBuilder<ParameterResource> password, Dictionary<string, IResourceBuilder<ParameterResource>> users)
    {
        var redis = builder.AddRedis(name, password: password)
            .WithEncryption(certificate)
            .WithImageOr(options.RedisImage, RedisImage.Digest)
            .WithDataVolume(DataVolume.NameOf(options.DataDirectory, name))
            .WithContainerFiles(ContainerFiles, async (_, cancellationToken) =>
            [
                new ContainerFile
                {
                    Name = Configuration,
                    Contents = await ContainerConfigurationAsync(options, certificate is not null, users, cancellationToken),
                },
                .. ContainerCertificates.Of(certificate, RedisImage.User),
            ])
            // It takes a file as its first argument, and what follows has the last word. It takes the place of the shell that starts it, too: the shell of
            // Debian's images stays, is not ended by SIGTERM, and Redis would be killed with what it has not written yet.
            .WithArgs(context =>
            {
                var server = context.Args.IndexOf("redis-server");
                context.Args.Insert(server + 1, $"{ContainerFiles}/{Configuration}");
                context.Args.Insert(server, "exec");
            })
            .WithFlushCommand();
        if (certificate is not null)
        {
            redis.WithEndpoint("tcp", endpoint => endpoint.TlsEnabled = true);
            redis.Resource.RemoveHealthChecks();
            // Aspire's own keeps its name.
            redis.WithHealthCheck(builder, new RedisPingHealthCheck(redis.Resource), $"{name}_tls_check");
        }

        var endpoint = redis.Resource.PrimaryEndpoint;
        return redis.WithLogin(
            ReferenceExpression.Create($"{endpoint.Property(EndpointProperty.Host)}:{endpoint.Property(EndpointProperty.Port)}"), users);
    }

    private static IResourceBuilder<RedisServerResource> AddSingle(
        IDistributedApplicationBuilder builder, string name, PlatformOptions options, ServerCertificate? certificate,
        IResourceBuilder<ParameterResource> password, Dictionary<string, IResourceBuilder<ParameterResource>> users)
    {
        var redis = AddServer(builder, name, options, certificate, Path.Combine(options.DataDirectory, "redis"), password, users);
        return redis
            .WithEndpoint(scheme: "tcp", name: RedisServerResource.EndpointName, env: "REDIS_PORT", isProxied: false)
            .WithHealthCheck(builder, new RedisPingHealthCheck(redis.Resource))
            .OnResourceReady((resource, ready, _) => ready.Services.GetRequiredService<ResourceNotificationService>().PublishUpdateAsync(
                resource, snapshot => snapshot with { Properties = Told(snapshot.Properties, Connections(resource)) }))
            .WithLogin(redis.Resource.Address, users)
            .WithFlushCommand();

        static ImmutableArray<ResourcePropertySnapshot> Told(ImmutableArray<ResourcePropertySnapshot> properties, string connections) =>
            [.. properties.Where(property => property.Name != EncryptedInTransit.Property), new(EncryptedInTransit.Property, connections)];
    }

    private static string Connections(IResource resource) =>
        EncryptedInTransit.Describe(resource.Encryption(), isExternal: false, setting: "Platform:Tls");

    private static IResourceBuilder<RedisClusterResource> AddCluster(
        IDistributedApplicationBuilder builder, string name, PlatformOptions options, ServerCertificate? certificate,
        IResourceBuilder<ParameterResource> password, Dictionary<string, IResourceBuilder<ParameterResource>> users)
    {
        var replicaPassword = builder.AddGeneratedSecret($"{name}-replica-password", length: 22);
        var data = Path.Combine(options.DataDirectory, "redis-cluster");
        var portsFile = Path.Combine(data, "ports");
        var resource = new RedisClusterResource(name, password.Resource);
        var cluster = builder.AddResource(resource)
            .WithEncryption(certificate)
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = "Redis cluster",
                State = KnownResourceStates.NotStarted,
                Properties =
                [
                    new(CustomResourceKnownProperties.Source, "three masters with a replica each"),
                    new(EncryptedInTransit.Property, Connections(resource)),
                ],
            })
            .WithIconName("DatabaseLightning")
            .WithHealthCheck(builder, new RedisClusterHealthCheck(resource))
            .OnInitializeResource(
                (_, initialize, cancellationToken) => RedisClusterWatch.RunAsync(resource, portsFile, initialize, cancellationToken))
            // For who is to find the cluster whichever node is down; a URI has one address.
            .WithStackEntry("redis-nodes")
            .WithFlushCommand();

        // Not proxied: the nodes name these very ports to clients and to each other.
        var ports = FreePorts.FindKept(RedisClusterResource.Size * 2, portsFile);
        for (var i = 0; i < RedisClusterResource.Size; i++)
        {
            var address = new ClusterAddress(ports[2 * i], ports[(2 * i) + 1]);
            var directory = Path.Combine(data, (i + 1).ToString(CultureInfo.InvariantCulture));
            var node = AddServer(builder, ResourceNames.CacheNode(i + 1), options, certificate, directory, password, users)
                .WithEndpoint(
                    RedisServerResource.EndpointName,
                    endpoint => (endpoint.UriScheme, endpoint.Port, endpoint.TargetPort, endpoint.IsProxied) = ("tcp", address.Port, address.Port, false))
                .WithEnvironment("REDIS_PORT", address.Port.ToString(CultureInfo.InvariantCulture))
                .WithEnvironment("REDIS_CLUSTER_PORT", address.BusPort.ToString(CultureInfo.InvariantCulture))
                .WithEnvironment("REDIS_REPLICA_PASSWORD", replicaPassword)
                .WithParentRelationship(cluster);
            resource.AddNode(node.Resource, address);
        }

        return cluster.WithLogin(resource.AllAddresses, users);
    }

    private static IResourceBuilder<RedisServerResource> AddServer(
        IDistributedApplicationBuilder builder, string name, PlatformOptions options, ServerCertificate? certificate, string data,
        IResourceBuilder<ParameterResource> password, Dictionary<string, IResourceBuilder<ParameterResource>> users) =>
        builder.AddResource(new RedisServerResource(name, Path.Combine(options.NativeScripts, "redis"), options.NativeScripts, password.Resource))
            .WithEncryption(certificate)
            .WithEnvironment(context =>
            {
                if (certificate is not null)
                {
                    context.EnvironmentVariables["REDIS_TLS"] = certificate.Directory;
                }

                foreach (var (user, secret) in users)
                {
                    var variable = $"REDIS_{user.ToUpperInvariant()}_PASSWORD";
                    if (secret.Resource.PasswordFile() is { } file)
                    {
                        // Not the value: a server that starts again later takes the passwords of that time.
                        context.EnvironmentVariables[$"{variable}_FILE"] = file;
                    }
                    else
                    {
                        context.EnvironmentVariables[variable] = secret.Resource;
                    }
                }
            })
            .WithArgs(options.ServerImage, data)
            .WithEnvironment("REDIS_PASSWORD", password)
            .WithEnvironment("REDIS_MAXMEMORY_POLICY", options.RedisMaxMemoryPolicy)
            .WithIconName("DatabaseLightning");

    private static IResourceBuilder<T> WithHealthCheck<T>(
        this IResourceBuilder<T> redis, IDistributedApplicationBuilder builder, IHealthCheck check, string? name = null)
        where T : IResource
    {
        name ??= $"{redis.Resource.Name}_check";
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(name, check, failureStatus: HealthStatus.Unhealthy, tags: null));
        return redis.WithHealthCheck(name);
    }

    private static IResourceBuilder<T> WithLogin<T>(
        this IResourceBuilder<T> redis, ReferenceExpression addresses, Dictionary<string, IResourceBuilder<ParameterResource>> users)
        where T : IResource =>
        redis.WithAnnotation(new CacheLogin(
            users.ToDictionary(
                user => user.Key,
                user => ReferenceExpression.Create($"{addresses},user={user.Key},password={user.Value}{RedisClient.TlsOption(redis.Resource)}")),
            users.ToDictionary(user => user.Key, user => user.Value.Resource)));

    private static async Task<string> ContainerTlsAsync(PlatformOptions options, CancellationToken cancellationToken) =>
        await File.ReadAllTextAsync(Path.Combine(options.NativeScripts, TlsConfiguration), cancellationToken)
        + $"tls-port {RedisImage.Port}\ntls-cert-file {ContainerFiles}/{StackCertificates.ServerFile}\n"
        + $"tls-key-file {ContainerFiles}/{StackCertificates.ServerFile}\ntls-ca-cert-file {ContainerFiles}/{StackCertificates.AuthorityFile}\n";

    // What the script of the other engines makes of the same files.
    private static async Task<string> ContainerConfigurationAsync(
        PlatformOptions options, bool encrypted, Dictionary<string, IResourceBuilder<ParameterResource>> users, CancellationToken cancellationToken)
    {
        var lines = new StringBuilder();
        foreach (var line in await File.ReadAllLinesAsync(Path.Combine(options.NativeScripts, Users), cancellationToken))
        {
            if (line.Split(' ', 2) is [var name, var rules] && users.TryGetValue(name, out var secret))
            {
                IReadOnlyList<string> passwords = secret.Resource.PasswordFile() is { } file && File.Exists(file)
                    ? new PasswordFile(file).Read() : [await secret.Resource.GetValueAsync(cancellationToken) ?? ""];
                var hashes = passwords.Select(password => $"#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(password)))}");
                lines.Append(CultureInfo.InvariantCulture, $"user {name} on {string.Join(' ', hashes)} {rules}\n");
            }
        }

        return await File.ReadAllTextAsync(Path.Combine(options.NativeScripts, Configuration), cancellationToken)
            + (encrypted ? await ContainerTlsAsync(options, cancellationToken) : "")
            + $"maxmemory-policy {options.RedisMaxMemoryPolicy}\n{lines}";
    }
}
