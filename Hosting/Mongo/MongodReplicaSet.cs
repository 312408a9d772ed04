using Platform.Hosting.Security;
using Platform.Hosting.Servers;

namespace Platform.Hosting.Mongo;

/// <summary>
/// A replica set of three mongod processes with keyfile authentication, run by one script: in the official image, or on
/// this machine when it has mongod and mongosh. All members share one host, so that the addresses in the replica set's
/// configuration (localhost and a port that is the same inside and outside) are right for members and clients alike.
/// </summary>
internal static class MongodReplicaSet
{
    private const int Members = 3;
    private const string Script = "mongod-replica-set";
    private const string KeyFile = "at-rest.key";
    private const string FirstEndpoint = "tcp";
    private const string ContainerScripts = "/replica-set";
    private const string ContainerCa = $"{ContainerScripts}/{StackCertificates.AuthorityFile}";

    public static IResourceBuilder<MongoReplicaSetResource> RunAsContainer(
        this IResourceBuilder<MongoReplicaSetResource> mongo, IResourceBuilder<ParameterResource> password,
        MongoReplicaSetOptions options)
    {
        var volume = VolumeName.Of(options.NamePrefix, options.DataDirectory, mongo.Resource.Name);
        var isPercona = options.Edition == MongoEdition.Percona;
        int? owner = isPercona ? MongoImage.PerconaUser : null;
        var script = File.ReadAllText(Path.Combine(MongoReplicaSetOptions.NativeScripts, Script));
        var user = mongo.ApplicationBuilder.AddParameter($"{mongo.Resource.Name}-username", options.RootUser);
        var servers = mongo.ApplicationBuilder
            .AddMongoDB($"{mongo.Resource.Name}-members", userName: user, password: password)
            .WithImageOr(options.Image ?? (isPercona ? MongoImage.Percona : null), MongoImage.Digest)
            .WithDataVolume(volume)
            .WithContainerFiles(
                ContainerScripts,
                [
                    new ContainerFile { Name = Script, Contents = script },
                    .. ContainerCertificates.Of(mongo.Resource.Encryption()?.Certificate, owner),
                    .. KeyOf(options, owner),
                ])
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
                    context.EnvironmentVariables["ME_CONFIG_MONGODB_URL"] = mongo.Resource.Encryption() is null
                        ? ReferenceExpression.Create(
                            $"mongodb://{user}:{password}@{members.Name}:{port}/?authSource=admin&directConnection=true")
                        : ReferenceExpression.Create(
                            $"mongodb://{user}:{password}@{members.Name}:{port}/?authSource=admin&directConnection=true&tls=true&tlsCAFile={ContainerCa}");
                })
                .WithContainerFiles(ContainerScripts, [.. ContainerCertificates.Of(mongo.Resource.Encryption()?.Certificate).Take(1)]));
        if (options.EncryptAtRest)
        {
            servers.WithEnvironment("MONGO_AT_REST_KEY", $"{ContainerScripts}/{KeyFile}");
        }

        if (isPercona && options.AuditLog)
        {
            servers.WithEnvironment("MONGO_AUDIT", "/data/db/audit");
        }

        if (mongo.Resource.Encryption() is not null)
        {
            // Whether the set can be used is our own's say.
            servers.Resource.RemoveHealthChecks();
        }

        return mongo.WithMembers(
            servers, password, options, bindAddress: "0.0.0.0", $"the volume {volume} ('docker volume rm {volume}')", ContainerCa,
            $"{ContainerScripts}/{StackCertificates.ServerFile}");
    }

    public static IResourceBuilder<MongoReplicaSetResource> RunAsMongod(
        this IResourceBuilder<MongoReplicaSetResource> mongo, IResourceBuilder<ParameterResource> password,
        MongoReplicaSetOptions options)
    {
        var data = Path.Combine(options.DataDirectory, "mongod");
        var servers = mongo.ApplicationBuilder
            .AddExecutable(
                $"{mongo.Resource.Name}-members", Path.Combine(MongoReplicaSetOptions.NativeScripts, Script), MongoReplicaSetOptions.NativeScripts)
            .WithArgs(data);
        var certificate = mongo.Resource.Encryption()?.Certificate;
        return mongo.WithMembers(
            servers, password, options, bindAddress: "127.0.0.1", $"the directory {data}", certificate?.CaFile ?? "", certificate?.File ?? "");
    }

    // Written into the container, as certificates are: mongod takes a key that its user alone can read.
    private static IEnumerable<ContainerFile> KeyOf(MongoReplicaSetOptions options, int? owner) => AtRest.PassPhraseOf(options) is not { } file ? [] :
    [
        new ContainerFile
        {
            Name = KeyFile,
            Contents = File.ReadAllText(file),
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            Owner = owner,
            Group = owner,
        },
    ];

    private static IResourceBuilder<MongoReplicaSetResource> WithMembers<T>(
        this IResourceBuilder<MongoReplicaSetResource> mongo,
        IResourceBuilder<T> servers,
        IResourceBuilder<ParameterResource> password,
        MongoReplicaSetOptions options,
        string bindAddress,
        string data,
        string caFile,
        string certificateFile)
        where T : IResourceWithEnvironment, IResourceWithEndpoints
    {
        var keyfile = mongo.ApplicationBuilder.AddGeneratedSecret($"{mongo.Resource.Name}-keyfile", length: 64);

        var waysOut =
            $"Restore the AppHost's user secret Parameters:{password.Resource.Name}, or remove {data} and with it the data.";

        var ports = LoopbackPorts.Find(Members);
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
            .WithEnvironment("MONGO_REPLICA_SET", options.ReplicaSet)
            .WithEnvironment("MONGO_PORTS", string.Join(' ', ports))
            .WithEnvironment("MONGO_BIND_ADDRESS", bindAddress)
            .WithEnvironment("MONGO_ROOT_USERNAME", options.RootUser)
            .WithEnvironment("MONGO_ROOT_PASSWORD", password)
            .WithEnvironment("MONGO_KEYFILE", keyfile)
            .WithEnvironment("MONGO_WAYS_OUT", waysOut)
            .WithEnvironment("MONGO_DATA", data)
            .WithEnvironment("MONGO_AT_REST_SETTING", options.SettingOf(nameof(options.EncryptAtRest)))
            .WithEnvironment("MONGO_PASS_PHRASE_SETTING", options.SettingOf(nameof(options.PassPhraseFile)))
            .WithParentRelationship(mongo)
            .WithIconName("DatabaseStack");
        if (mongo.Resource.Encryption() is not null)
        {
            servers.WithEnvironment("MONGO_TLS_CA", caFile).WithEnvironment("MONGO_TLS_CERTIFICATE", certificateFile);
        }

        mongo.Resource.AddServer(servers.Resource, endpoints);
        return mongo;
    }
}
