using System.Globalization;
using Platform.Hosting.Security;

namespace Platform.Hosting.Mongo;

/// <summary>
/// DocumentDB as the replica set: each member is a gateway that speaks the MongoDB wire protocol, and a PostgreSQL with the documentdb
/// extension that the gateway runs. The members elect the primary among themselves.
/// </summary>
internal static class DocumentDbEngine
{
    private const string Program = "member";

    public static IResourceBuilder<MongoReplicaSetResource> RunAsDocumentDb(
        this IResourceBuilder<MongoReplicaSetResource> mongo, IResourceBuilder<ParameterResource> password,
        MongoReplicaSetOptions options)
    {
        var data = options.DataDirectoryOf(1);
        if (MemberData.AheadOf(data, options.Members) is { } ahead)
        {
            throw new DistributedApplicationException(
                $"{options.SettingOf(nameof(options.Members))} is {options.Members}, but member {ahead} has data that is not in "
                + "those that would run: start with 3 members once, so that they catch up.");
        }

        var passPhrase = AtRest.PassPhraseOf(options);
        var ports = LoopbackPorts.Find(options.Members);
        var hosts = string.Join(',', ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")));
        for (var i = 0; i < ports.Length; i++)
        {
            // Not proxied: clients are told this very port in the handshake, and every operation saves a hop.
            var (number, port) = (i + 1, ports[i]);
            var member = mongo.AddMember(number, options)
                .WithEndpoint(
                    "mongodb", endpoint => (endpoint.Port, endpoint.TargetPort, endpoint.IsProxied) = (port, port, false))
                .WithEnvironment(SettingNames.GatewayReplicaSet, options.ReplicaSet)
                .WithEnvironment(SettingNames.GatewayMembers, hosts)
                .WithEnvironment(SettingNames.GatewayMember, number.ToString(CultureInfo.InvariantCulture))
                .WithEnvironment(SettingNames.GatewayDataDirectory, options.DataDirectoryOf(number))
                .WithEnvironment(SettingNames.GatewaySocketDirectory, options.SocketDirectory)
                .WithEnvironment(SettingNames.GatewayServerImage, options.ServerImage!)
                .WithEnvironment(SettingNames.GatewayNativeScripts, MongoReplicaSetOptions.NativeScripts)
                .WithEnvironment(SettingNames.GatewayRootUsername, options.RootUser)
                .WithEnvironment(SettingNames.GatewayRootPassword, password)
                .WithParentRelationship(mongo)
                .WithIconName("DatabasePlugConnected");
            if (passPhrase is not null)
            {
                member.WithEnvironment(SettingNames.GatewayPassPhraseFile, passPhrase);
            }

            if (mongo.Resource.Encryption() is { } encrypted)
            {
                // The gateways of the members talk to each other by sockets in a directory that only this user can enter.
                member
                    .WithEnvironment(SettingNames.GatewayTlsCertificateFile, encrypted.Certificate.File)
                    .WithEnvironment(SettingNames.GatewayTlsKeyFile, encrypted.Certificate.File);
            }

            options.ConfigureMember?.Invoke(member);
            mongo.Resource.AddServer(member.Resource, member.GetEndpoint("mongodb"));
        }

        return mongo;
    }

    // Not a project resource: the script starts the gateway again when it ends, which the orchestrator does not.
    private static IResourceBuilder<ExecutableResource> AddMember(
        this IResourceBuilder<MongoReplicaSetResource> mongo, int number, MongoReplicaSetOptions options)
    {
        var builder = mongo.ApplicationBuilder;
        var member = builder
            .AddExecutable(
                string.Create(CultureInfo.InvariantCulture, $"{mongo.Resource.Name}-{number}"),
                Path.Combine(MongoReplicaSetOptions.NativeScripts, Program),
                MongoReplicaSetOptions.NativeScripts)
            .WithArgs([.. options.Gateway])
            .WithOtlpExporter()
            // The driver's own spans tell of every command already; a second set that hangs on nothing would hide them.
            .WithEnvironment("OTEL_TRACES_SAMPLER", "always_off")
            .WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName)
            .WithHttpEndpoint()
            .WithHttpHealthCheck("/health");
        var http = member.GetEndpoint("http");
        return member.WithEnvironment(
            "ASPNETCORE_URLS", ReferenceExpression.Create($"http://127.0.0.1:{http.Property(EndpointProperty.TargetPort)}"));
    }
}
