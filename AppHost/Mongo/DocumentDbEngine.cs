using System.Globalization;
using Platform.AppHost.Auditing;
using Platform.AppHost.Security;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;

namespace Platform.AppHost.Mongo;

/// <summary>
/// DocumentDB as the replica set: each member is a gateway that speaks the MongoDB wire protocol, and a PostgreSQL with the documentdb
/// extension that the gateway runs. The members elect the primary among themselves.
/// </summary>
internal static class DocumentDbEngine
{
    private const string Program = "member";

    public static IResourceBuilder<MongoReplicaSetResource> RunAsDocumentDb(
        this IResourceBuilder<MongoReplicaSetResource> mongo, IResourceBuilder<ParameterResource> password,
        PlatformOptions options)
    {
        var data = DataOf(options, 1);
        var sockets = SocketsOf(options);
        if (MemberData.AheadOf(data, options.MongoMembers) is { } ahead)
        {
            throw new DistributedApplicationException(
                $"Platform:Mongo:Members is {options.MongoMembers}, but member {ahead} has data that is not in "
                + "those that would run: start with 3 members once, so that they catch up.");
        }

        var passPhrase = AtRest.PassPhraseOf(options);
        var ports = LoopbackPorts.Find(options.MongoMembers);
        var hosts = string.Join(',', ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")));
        for (var i = 0; i < ports.Length; i++)
        {
            // Not proxied: clients are told this very port in the handshake, and every operation saves a hop.
            var (number, port) = (i + 1, ports[i]);
            var member = mongo.AddMember(number, options)
                .WithEndpoint(
                    "mongodb", endpoint => (endpoint.Port, endpoint.TargetPort, endpoint.IsProxied) = (port, port, false))
                .WithEnvironment(SettingNames.GatewayReplicaSet, MongoNames.ReplicaSet)
                .WithEnvironment(SettingNames.GatewayMembers, hosts)
                .WithEnvironment(SettingNames.GatewayMember, number.ToString(CultureInfo.InvariantCulture))
                .WithEnvironment(SettingNames.GatewayDataDirectory, MemberData.DirectoryOf(data, number))
                .WithEnvironment(SettingNames.GatewaySocketDirectory, sockets)
                .WithEnvironment(SettingNames.GatewayServerImage, options.ServerImage)
                .WithEnvironment(SettingNames.GatewayNativeScripts, options.NativeScripts)
                .WithEnvironment(SettingNames.GatewayRootUsername, MongoNames.RootUser)
                .WithEnvironment(SettingNames.GatewayRootPassword, password)
                .WithAudit(options, SettingNames.GatewayAudit)
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

            mongo.Resource.AddServer(member.Resource, member.GetEndpoint("mongodb"));
        }

        return mongo;
    }

    /// <summary>The data directory of a member.</summary>
    public static string DataOf(PlatformOptions options, int member)
        => MemberData.DirectoryOf(Path.Combine(options.DataDirectory, "postgres"), member);

    /// <summary>Where the Unix sockets of all members are.</summary>
    public static string SocketsOf(PlatformOptions options) => SocketDirectory.For(DataOf(options, 1));

    // Not a project resource: the script starts the gateway again when it ends, which the orchestrator does not.
    private static IResourceBuilder<ExecutableResource> AddMember(
        this IResourceBuilder<MongoReplicaSetResource> mongo, int number, PlatformOptions options)
    {
        var builder = mongo.ApplicationBuilder;
        var project = new Projects.Gateway().ProjectPath;
        var program = ServiceExtensions.ProgramOf(project, AppContext.BaseDirectory);
        string[] gateway = File.Exists(program) ? [program] : ["dotnet", "run", "--no-build", "--no-launch-profile", "--project", project];
        var member = builder
            .AddExecutable(ResourceNames.Member(number), Path.Combine(options.NativeScripts, Program), options.NativeScripts)
            .WithArgs([.. gateway])
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
