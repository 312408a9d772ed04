using Platform.AppHost.Services;
using Platform.AppHost.Settings;

namespace Platform.AppHost.Mongo;

/// <summary>
/// DocumentDB as the replica set: PostgreSQL with the documentdb extension, and in front of it the gateway that speaks
/// the MongoDB wire protocol and presents itself as a replica set of one member.
/// </summary>
internal static class DocumentDbEngine
{
    public static IResourceBuilder<MongoReplicaSetResource> RunAsDocumentDb(
        this IResourceBuilder<MongoReplicaSetResource> mongo, IResourceBuilder<ParameterResource> password,
        PlatformOptions options)
    {
        var builder = mongo.ApplicationBuilder;
        var data = Path.Combine(options.DataDirectory, "postgres");
        var sockets = SocketDirectory.For(data);

        var postgres = builder
            .AddExecutable(
                ResourceNames.Postgres, Path.Combine(options.NativeScripts, "postgres"), options.NativeScripts)
            .WithArgs(options.ServerImage, data, sockets)
            .WithParentRelationship(mongo)
            .WithIconName("DatabasePlugConnected");

        // Not proxied: clients are told this very port in the handshake, and every operation saves a hop.
        var gateway = builder.AddService<Projects.Gateway>(ResourceNames.Gateway)
            .WithEndpoint(scheme: "tcp", name: "mongodb", env: SettingNames.GatewayPort, isProxied: false)
            .WithHttpEndpoint()
            .WithEnvironment(SettingNames.GatewayReplicaSet, MongoNames.ReplicaSet)
            .WithEnvironment(SettingNames.GatewayRootUsername, MongoNames.RootUser)
            .WithEnvironment(SettingNames.GatewayRootPassword, password)
            .WithEnvironment(
                $"ConnectionStrings__{SettingNames.Postgres}", $"Host={sockets};Username=postgres;Database=postgres")
            .WithReferenceRelationship(postgres) // it stops before the server that it uses
            .WithHttpHealthCheck("/health")
            .WithParentRelationship(mongo)
            .WithIconName("PlugConnected");

        mongo.Resource.AddServer(postgres.Resource);
        mongo.Resource.AddServer(gateway.Resource, gateway.GetEndpoint("mongodb"));
        return mongo;
    }
}
