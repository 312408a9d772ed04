using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Security;
using Platform.AppHost.Settings;

namespace Platform.AppHost.Mongo;

internal static class MongoReplicaSetExtensions
{
    /// <summary>
    /// Adds a MongoDB replica set, run by the engine of <paramref name="options"/>. It is healthy when a writable
    /// primary answers an authenticated client.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the set's resource.</param>
    /// <param name="options">The settings.</param>
    /// <param name="certificates">Who gives the members their certificate; null: they take connections without TLS.</param>
    public static IResourceBuilder<MongoReplicaSetResource> AddMongoReplicaSet(
        this IDistributedApplicationBuilder builder, string name, PlatformOptions options, StackCertificates? certificates = null)
    {
        var resource = new MongoReplicaSetResource(name);
        var healthCheck = $"{name}_check";
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            healthCheck,
            new WritablePrimaryHealthCheck(resource),
            failureStatus: HealthStatus.Unhealthy,
            tags: null));

        var mongo = builder.AddResource(resource)
            // From another container the members have the name of theirs.
            .WithEncryption(certificates?.Of(name, options.Engine == Engine.Containers ? [$"{name}-members"] : []))
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = "MongoDB replica set",
                State = KnownResourceStates.NotStarted,
                Properties =
                [
                    new(CustomResourceKnownProperties.Source, options.EngineChoice.ToString()),
                    new("servers", DescribeServers(options)),
                    new("replicaSet", MongoNames.ReplicaSet),
                    new(EncryptedInTransit.Property, EncryptedInTransit.Describe(resource.Encryption(), options)),
                    new("data on the disk", options.EncryptAtRest ? "encrypted" : options.Engine == Engine.External ? "as its servers keep it" : "plain"),
                    new("another engine", "Platform:Engine: auto, containers, mongod, documentdb or external; see docs/engines.md"),
                ],
            })
            .WithIconName("DatabaseMultiple")
            .WithHealthCheck(healthCheck)
            .OnInitializeResource(ReplicaSetWatch.RunAsync);

        if (options.Engine == Engine.External)
        {
            resource.External = builder
                .AddParameterFromConfiguration(
                    $"{name}-connection-string", $"ConnectionStrings:{ResourceNames.Database}", secret: true)
                .Resource;
            return mongo;
        }

        var password = builder.AddGeneratedSecret($"{name}-password", length: 22);
        (resource.Password, resource.DataDirectory) = (password.Resource, options.DataDirectory);

        resource.KillMember = options.Engine switch
        {
            Engine.Containers => (process, services, token) => MemberProcess.KillInContainerAsync(
                resource, process, services.GetRequiredService<ResourceNotificationService>(), token),
            _ => (process, _, token) => MemberProcess.KillAsync(process, options.DataDirectory, token),
        };
        return options.Engine switch
        {
            Engine.Containers => mongo.RunAsContainer(password, options),
            Engine.Mongod => mongo.RunAsMongod(password, options),
            _ => mongo.RunAsDocumentDb(password, options),
        };
    }

    /// <summary>
    /// Adds a database of the replica set; it is as healthy as its replica set, since children share their parents'
    /// health checks.
    /// </summary>
    public static IResourceBuilder<MongoReplicaSetDatabaseResource> AddReplicaSetDatabase(
        this IResourceBuilder<MongoReplicaSetResource> mongo, string name)
    {
        var database = new MongoReplicaSetDatabaseResource(name, databaseName: name, mongo.Resource);
        mongo.Resource.AddDatabase(database);
        return mongo.ApplicationBuilder.AddResource(database)
            .WithIconName("Database")
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = "MongoDB database",
                State = KnownResourceStates.NotStarted,
                Properties = [],
            });
    }

    private static string DescribeServers(PlatformOptions options) => options.Engine switch
    {
        Engine.Containers when options.MongoEdition == MongoEdition.Percona =>
            $"Percona Server for MongoDB, from the container image {options.MongoImage ?? MongoImage.Percona}",
        Engine.Containers => $"mongod, from the container image {options.MongoImage ?? $"mongo:{MongoImage.Tag}"}",
        Engine.Mongod => "mongod of this machine",
        Engine.DocumentDb => "DocumentDB on PostgreSQL, behind a gateway",
        _ => "none of this graph",
    };
}
