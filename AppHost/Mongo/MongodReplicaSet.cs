using Platform.AppHost.Settings;

namespace Platform.AppHost.Mongo;

/// <summary>
/// A replica set of three mongod processes with keyfile authentication, run by one script: in the official image, or on
/// this machine when it has mongod and mongosh. All members share one host, so that the addresses in the replica set's
/// configuration (localhost and a port that is the same inside and outside) are right for members and clients alike.
/// </summary>
internal static class MongodReplicaSet
{
    private const int Members = 3;
    private const string Script = "mongod-replica-set";
    private const string FirstEndpoint = "tcp";
    private const string ContainerScripts = "/platform";

    public static IResourceBuilder<MongoReplicaSetResource> RunAsContainer(
        this IResourceBuilder<MongoReplicaSetResource> mongo, IResourceBuilder<ParameterResource> password,
        PlatformOptions options)
    {
        var volume = DataVolume.NameOf(options.DataDirectory, mongo.Resource.Name);
        var script = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Native", Script));
        var user = mongo.ApplicationBuilder.AddParameter($"{mongo.Resource.Name}-username", MongoNames.RootUser);
        var servers = mongo.ApplicationBuilder
            .AddMongoDB($"{mongo.Resource.Name}-members", userName: user, password: password)
            .WithImageSHA256(MongoImage.Digest)
            .WithDataVolume(volume)
            .WithContainerFiles(ContainerScripts, [new ContainerFile { Name = Script, Contents = script }])
            .WithEntrypoint("/bin/bash")
            .WithArgs($"{ContainerScripts}/{Script}", "/data/db")
            .WithMongoExpress(client => client
                .WithExplicitStart()
                .WithUrlForEndpoint("http", url => url.DisplayText = "Mongo Express")
                .WithEnvironment(context =>
                {
                    // From another container the members are not where the set says: the first is asked directly.
                    var members = (MongoDBServerResource)mongo.Resource.Servers[0];
                    var port = members.PrimaryEndpoint.Property(EndpointProperty.TargetPort);
                    context.EnvironmentVariables["ME_CONFIG_MONGODB_URL"] = ReferenceExpression.Create(
                        $"mongodb://{user}:{password}@{members.Name}:{port}/?authSource=admin&directConnection=true");
                }));
        return mongo.WithMembers(
            servers, password, bindAddress: "0.0.0.0", $"the volume {volume} ('docker volume rm {volume}')");
    }

    public static IResourceBuilder<MongoReplicaSetResource> RunAsMongod(
        this IResourceBuilder<MongoReplicaSetResource> mongo, IResourceBuilder<ParameterResource> password,
        PlatformOptions options)
    {
        var data = Path.Combine(options.DataDirectory, "mongod");
        var servers = mongo.ApplicationBuilder
            .AddExecutable(
                $"{mongo.Resource.Name}-members", Path.Combine(options.NativeScripts, Script), options.NativeScripts)
            .WithArgs(data);
        return mongo.WithMembers(servers, password, bindAddress: "127.0.0.1", $"the directory {data}");
    }

    private static IResourceBuilder<MongoReplicaSetResource> WithMembers<T>(
        this IResourceBuilder<MongoReplicaSetResource> mongo,
        IResourceBuilder<T> servers,
        IResourceBuilder<ParameterResource> password,
        string bindAddress,
        string data)
        where T : IResourceWithEnvironment, IResourceWithEndpoints
    {
        var keyfile = mongo.ApplicationBuilder.AddGeneratedSecret($"{mongo.Resource.Name}-keyfile", length: 64);

        var waysOut =
            $"Restore the AppHost's user secret Parameters:{password.Resource.Name}, or remove {data} and with it the data.";

        var ports = FreePorts.Find(Members);
        var endpoints = new EndpointReference[Members];
        for (var i = 0; i < Members; i++)
        {
            // The first member answers at the endpoint that Aspire's own MongoDB resource has, and so its health check.
            var (name, port) = (i == 0 ? FirstEndpoint : $"member-{i + 1}", ports[i]);
            servers.WithEndpoint(
                name, endpoint => (endpoint.Port, endpoint.TargetPort, endpoint.IsProxied) = (port, port, false));
            endpoints[i] = servers.GetEndpoint(name);
        }

        servers
            .WithEnvironment("MONGO_REPLICA_SET", MongoNames.ReplicaSet)
            .WithEnvironment("MONGO_PORTS", string.Join(' ', ports))
            .WithEnvironment("MONGO_BIND_ADDRESS", bindAddress)
            .WithEnvironment("MONGO_ROOT_USERNAME", MongoNames.RootUser)
            .WithEnvironment("MONGO_ROOT_PASSWORD", password)
            .WithEnvironment("MONGO_KEYFILE", keyfile)
            .WithEnvironment("MONGO_WAYS_OUT", waysOut)
            .WithParentRelationship(mongo)
            .WithIconName("DatabaseStack");

        mongo.Resource.AddServer(servers.Resource, endpoints);
        return mongo;
    }
}
