using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.Hosting.Security;
using Platform.Hosting.Servers;

namespace Platform.Hosting.Mongo;

/// <summary>A MongoDB replica set in an app graph, with its databases and users.</summary>
public static class MongoReplicaSetExtensions
{
    /// <summary>
    /// Adds a MongoDB replica set. It is healthy when a writable primary answers an authenticated client. The administrator's password is generated once and
    /// kept in the AppHost's user secrets as <c>Parameters:NAME-password</c>.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the set's resource.</param>
    /// <param name="options">How it runs.</param>
    /// <exception cref="DistributedApplicationException">An option cannot be used, or not with the data that is there: a sentence.</exception>
    public static IResourceBuilder<MongoReplicaSetResource> AddMongoReplicaSet(
        this IDistributedApplicationBuilder builder, string name, MongoReplicaSetOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        options = options with { Engine = builder.ExecutionContext.IsPublishMode ? Engine.External : options.Engine };
        options.Check();
        var resource = new MongoReplicaSetResource(name, options.ReplicaSet, options.RootUser);
        var healthCheck = $"{name}_check";
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            healthCheck,
            new WritablePrimaryHealthCheck(resource),
            failureStatus: HealthStatus.Unhealthy,
            tags: null));

        var mongo = builder.AddResource(resource)
            .WithEncryption(CertificateOf(builder, name, options))
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = "MongoDB replica set",
                State = KnownResourceStates.NotStarted,
                Properties =
                [
                    new(CustomResourceKnownProperties.Source, options.Source ?? options.Engine.ToString().ToLowerInvariant()),
                    new("servers", DescribeServers(options)),
                    new("replicaSet", options.ReplicaSet),
                    new(EncryptedInTransit.Property, EncryptedInTransit.Describe(
                        resource.Encryption(), options.Engine == Engine.External, options.SettingOf(nameof(options.Tls)))),
                    new("data on the disk", options.EncryptAtRest ? "encrypted" : options.Engine == Engine.External ? "as its servers keep it" : "plain"),
                    .. options.Properties,
                ],
            })
            .WithIconName("DatabaseMultiple")
            .WithHealthCheck(healthCheck)
            .OnInitializeResource(ReplicaSetWatch.RunAsync);

        if (options.Engine == Engine.External)
        {
            resource.External = builder
                .AddParameterFromConfiguration($"{name}-connection-string", options.ConnectionStringKey ?? $"ConnectionStrings:{name}", secret: true)
                .Resource;
            return mongo;
        }

        var password = builder.AddGeneratedSecret($"{name}-password", length: 22);
        (resource.Password, resource.DataDirectory) = (password.Resource, options.DataDirectory);
        resource.KillMember = options.Engine switch
        {
            Engine.Containers => (process, services, token) => MemberProcess.KillInContainerAsync(
                resource, process, services.GetRequiredService<ResourceNotificationService>(), token),
            Engine.Mongod => (process, _, token) => MemberProcess.KillAsync(process, "mongod", options.DataDirectory, token),
            _ => (process, _, token) => MemberProcess.KillAsync(
                process, Path.GetFileName(options.Gateway[0]), options.DataDirectory, token),
        };
        return options.Engine switch
        {
            Engine.Containers => mongo.RunAsContainer(password, options),
            Engine.Mongod => mongo.RunAsMongod(password, options),
            _ => mongo.RunAsDocumentDb(password, options),
        };
    }

    /// <summary>
    /// Adds a database of the replica set; it is as healthy as its replica set, since children share their parents' health checks.
    /// </summary>
    /// <param name="mongo">The set.</param>
    /// <param name="name">The name of the database's resource.</param>
    /// <param name="databaseName">Its name on the server; null: that of the resource.</param>
    public static IResourceBuilder<MongoReplicaSetDatabaseResource> AddReplicaSetDatabase(
        this IResourceBuilder<MongoReplicaSetResource> mongo, string name, string? databaseName = null)
    {
        ArgumentNullException.ThrowIfNull(mongo);
        var database = new MongoReplicaSetDatabaseResource(name, databaseName ?? name, mongo.Resource);
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

    /// <summary>
    /// Adds a user of the database: whoever refers to it logs in as this user, and whoever waits for it starts when it is there. Each start of the graph gives
    /// it the password of the user secret <c>Parameters:NAME-password</c>, and these roles and no others. Where the servers are not this graph's, nobody is
    /// made: its connection string is the set's.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="name">The name of the user's resource.</param>
    /// <param name="roles">
    /// Its roles on the database, such as <c>read</c> and <c>readWrite</c>: <see href="https://www.mongodb.com/docs/manual/reference/built-in-roles/"/>.
    /// </param>
    /// <exception cref="DistributedApplicationException">There is no role, or the name is none of a user.</exception>
    public static IResourceBuilder<MongoReplicaSetUserResource> AddUser(
        this IResourceBuilder<MongoReplicaSetDatabaseResource> database, string name, params string[] roles)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(roles);
        if (roles.Length == 0)
        {
            throw new DistributedApplicationException($"The user '{name}' has no role: it could do nothing.");
        }

        var builder = database.ApplicationBuilder;
        var isExternal = database.Resource.Parent.External is not null;
        var password = isExternal ? null : builder.AddGeneratedSecret($"{name}-password", length: 22).Resource;
        var user = new MongoReplicaSetUserResource(name, $"{database.Resource.DatabaseName}-{name}", password, roles, database.Resource);
        return builder.AddResource(user)
            .WithIconName("Person")
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = "MongoDB user",
                State = KnownResourceStates.NotStarted,
                Properties =
                [
                    new("user", isExternal ? "that of the connection string" : user.UserName),
                    new("roles", isExternal ? "those it has" : string.Join(", ", roles)),
                ],
            })
            .OnInitializeResource(UserCreation.RunAsync);
    }

    private static ServerCertificate? CertificateOf(IDistributedApplicationBuilder builder, string name, MongoReplicaSetOptions options)
    {
        if (!options.Tls || options.Engine == Engine.External)
        {
            return null;
        }

        var certificates = options.Certificates ?? builder.AddServerCertificates(
            Path.Combine(options.DataDirectory, "tls"), $"{options.SettingOf(nameof(options.Tls))}=false does without.");
        // From another container the members have the name of theirs.
        return certificates.Of(name, options.Engine == Engine.Containers ? [$"{name}-members"] : []);
    }

    private static string DescribeServers(MongoReplicaSetOptions options) => options.Engine switch
    {
        Engine.Containers when options.Edition == MongoEdition.Percona =>
            $"Percona Server for MongoDB, from the container image {options.Image ?? MongoImage.Percona}",
        Engine.Containers => $"mongod, from the container image {options.Image ?? $"mongo:{MongoImage.Tag}"}",
        Engine.Mongod => "mongod of this machine",
        Engine.DocumentDb => "DocumentDB on PostgreSQL, behind a gateway",
        _ => "none of this graph",
    };
}
