using Platform.AppHost.Auditing;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;
using Platform.Hosting.Mongo;
using Platform.Hosting.Security;

namespace Platform.AppHost.Mongo;

/// <summary>The replica set of the platform: what its names are, and where its settings come from.</summary>
internal static class PlatformReplicaSet
{
    /// <summary>Adds the replica set with the settings of the graph.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the set's resource.</param>
    /// <param name="options">The settings.</param>
    /// <param name="certificates">Who gives the members their certificate; null: they take connections without TLS.</param>
    public static IResourceBuilder<MongoReplicaSetResource> AddMongoReplicaSet(
        this IDistributedApplicationBuilder builder, string name, PlatformOptions options, StackCertificates? certificates = null)
        => builder.AddMongoReplicaSet(name, options.ReplicaSet(certificates));

    /// <summary>The options of the replica set.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="certificates">Who gives the members their certificate; null: they take connections without TLS.</param>
    public static MongoReplicaSetOptions ReplicaSet(this PlatformOptions options, StackCertificates? certificates = null) => new()
    {
        Engine = options.Engine,
        Source = options.EngineChoice.ToString(),
        DataDirectory = options.DataDirectory,
        NamePrefix = DataVolume.Prefix,
        ReplicaSet = MongoNames.ReplicaSet,
        RootUser = MongoNames.RootUser,
        Members = options.MongoMembers,
        Image = options.MongoImage,
        Edition = options.MongoEdition,
        AuditLog = options.MongodAudit,
        ServerImage = options.ServerImage,
        Gateway = Gateway(),
        ConfigureMember = member => member.WithAudit(options, SettingNames.GatewayAudit),
        Tls = certificates is not null,
        Certificates = certificates,
        EncryptAtRest = options.EncryptAtRest,
        PassPhraseFile = options.PassPhraseFile is { Length: > 0 } file ? file : null,
        ConnectionStringKey = $"ConnectionStrings:{ResourceNames.Database}",
        Properties = [new("another engine", "Platform:Engine: auto, containers, mongod, documentdb or external; see docs/engines.md")],
        SettingOf = option => option == nameof(MongoReplicaSetOptions.Members) ? "Platform:Mongo:Members" : $"Platform:{option}",
        RemoveCommand = "./platform clean",
    };

    private static string[] Gateway()
    {
        var project = new Projects.Gateway().ProjectPath;
        var program = ServiceExtensions.ProgramOf(project, AppContext.BaseDirectory);
        return File.Exists(program) ? [program] : ["dotnet", "run", "--no-build", "--no-launch-profile", "--project", project];
    }
}
