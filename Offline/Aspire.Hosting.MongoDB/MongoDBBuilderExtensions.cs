using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.MongoDB;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Aspire.Hosting;

/// <summary>Adds MongoDB servers in containers.</summary>
public static class MongoDBBuilderExtensions
{
    private const int ContainerPort = 27017;
    private const string DataDirectory = "/data/db";
    private const string InitDirectory = "/docker-entrypoint-initdb.d";

    /// <summary>Adds a MongoDB server with the user admin and a generated password.</summary>
    public static IResourceBuilder<MongoDBServerResource> AddMongoDB(this IDistributedApplicationBuilder builder, [ResourceName] string name, int? port)
        => builder.AddMongoDB(name, port, userName: null, password: null);

    /// <summary>Adds a MongoDB server.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="port">The public port; null: any free one.</param>
    /// <param name="userName">The root user; null: admin.</param>
    /// <param name="password">Its password; null: generated and kept in the user secrets.</param>
    public static IResourceBuilder<MongoDBServerResource> AddMongoDB(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        int? port = null,
        IResourceBuilder<ParameterResource>? userName = null,
        IResourceBuilder<ParameterResource>? password = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var secret = password?.Resource ?? ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var server = new MongoDBServerResource(name, userName?.Resource, secret);
        return builder.AddResource(server)
            .WithEndpoint(port, ContainerPort, name: MongoDBServerResource.PrimaryEndpointName)
            .WithImage("library/mongo", "8.3")
            .WithImageRegistry("docker.io")
            .WithIconName("DatabaseMultiple")
            .WithEnvironment("MONGO_INITDB_ROOT_USERNAME", server.UserNameReference)
            .WithEnvironment(context => context.EnvironmentVariables["MONGO_INITDB_ROOT_PASSWORD"] = secret)
            .WithPing(builder, server, database: null);
    }

    /// <summary>Adds a database.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="databaseName">The name of the database; null: the name of the resource.</param>
    public static IResourceBuilder<MongoDBDatabaseResource> AddDatabase(
        this IResourceBuilder<MongoDBServerResource> builder,
        [ResourceName] string name,
        string? databaseName = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var database = new MongoDBDatabaseResource(name, databaseName ?? name, builder.Resource);
        builder.Resource.AddDatabase(name, database.DatabaseName);
        return builder.ApplicationBuilder.AddResource(database)
            .WithIconName("Database")
            .WithPing(builder.ApplicationBuilder, database, database.DatabaseName);
    }

    /// <summary>Keeps the data in a volume.</summary>
    public static IResourceBuilder<MongoDBServerResource> WithDataVolume(
        this IResourceBuilder<MongoDBServerResource> builder,
        string? name = null,
        bool isReadOnly = false)
        => builder.WithVolume(name ?? VolumeNameGenerator.Generate(builder, "data"), DataDirectory, isReadOnly);

    /// <summary>Keeps the data in a directory of the host.</summary>
    public static IResourceBuilder<MongoDBServerResource> WithDataBindMount(
        this IResourceBuilder<MongoDBServerResource> builder,
        string source,
        bool isReadOnly = false)
        => builder.WithBindMount(source, DataDirectory, isReadOnly);

    /// <summary>Copies the files that the image runs when the database is empty.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="source">A file or a directory; a relative path begins at the AppHost.</param>
    public static IResourceBuilder<MongoDBServerResource> WithInitFiles(this IResourceBuilder<MongoDBServerResource> builder, string source)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        return builder.WithContainerFiles(InitDirectory, Path.GetFullPath(source, builder.ApplicationBuilder.AppHostDirectory));
    }

    /// <summary>Mounts the directory whose files the image runs when the database is empty.</summary>
    [Obsolete("Use WithInitFiles instead.")]
    public static IResourceBuilder<MongoDBServerResource> WithInitBindMount(
        this IResourceBuilder<MongoDBServerResource> builder,
        string source,
        bool isReadOnly = true)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        return builder.WithBindMount(source, InitDirectory, isReadOnly);
    }

    /// <summary>Adds Mongo Express, a web client, as a child of the server. It is not published.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="configureContainer">Changes the client's container.</param>
    /// <param name="containerName">The name of the client's resource; null: that of the server and <c>-mongoexpress</c>.</param>
    public static IResourceBuilder<T> WithMongoExpress<T>(
        this IResourceBuilder<T> builder,
        Action<IResourceBuilder<MongoExpressContainerResource>>? configureContainer = null,
        string? containerName = null)
        where T : MongoDBServerResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        var server = builder.Resource;
        var client = builder.ApplicationBuilder
            .AddResource(new MongoExpressContainerResource(containerName ?? $"{server.Name}-mongoexpress"))
            .WithImage("library/mongo-express", "1.0")
            .WithImageRegistry("docker.io")
            .WithIconName("WindowDatabase")
            .WithHttpEndpoint(targetPort: 8081, name: "http")
            .WithEnvironment(context =>
            {
                var environment = context.EnvironmentVariables;
                environment["ME_CONFIG_MONGODB_SERVER"] = server.Name;
                environment["ME_CONFIG_BASICAUTH"] = "false";
                if (server.PrimaryEndpoint.TargetPort is { } port)
                {
                    environment["ME_CONFIG_MONGODB_PORT"] = port.ToString(System.Globalization.CultureInfo.InvariantCulture);
                }

                if (server.PasswordParameter is { } password)
                {
                    environment["ME_CONFIG_MONGODB_ADMINUSERNAME"] = server.UserNameReference;
                    environment["ME_CONFIG_MONGODB_ADMINPASSWORD"] = password;
                }
            })
            .WithParentRelationship(builder)
            .ExcludeFromManifest();
        configureContainer?.Invoke(client);
        return builder;
    }

    /// <summary>Gives the web client a fixed port of the host; null: any free one.</summary>
    public static IResourceBuilder<MongoExpressContainerResource> WithHostPort(
        this IResourceBuilder<MongoExpressContainerResource> builder, int? port)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithEndpoint("http", endpoint => endpoint.Port = port);
    }

    private static IResourceBuilder<T> WithPing<T>(
        this IResourceBuilder<T> resource,
        IDistributedApplicationBuilder builder,
        IResourceWithConnectionString source,
        string? database)
        where T : IResource
    {
        var key = $"{source.Name}_check";
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            key, new MongoHealthCheck(source, database ?? MongoDBServerResource.AuthenticationDatabase), failureStatus: null, tags: null));
        return resource.WithHealthCheck(key);
    }

    private sealed class MongoHealthCheck(IResourceWithConnectionString source, string database) : IHealthCheck, IDisposable
    {
        private MongoClient? _client;

        public void Dispose() => _client?.Dispose();

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                // One client for all checks: it keeps its connections.
                _client ??= new MongoClient(await source.GetConnectionStringAsync(cancellationToken));
                await _client.GetDatabase(database).RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), cancellationToken: cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception ex) when (ex is MongoException or TimeoutException)
            {
                return HealthCheckResult.Unhealthy("MongoDB does not answer.", ex);
            }
        }
    }
}
