using System.Text.RegularExpressions;
using Platform.Hosting.Security;

namespace Platform.Hosting.Mongo;

/// <summary>How a replica set runs, and how messages about it name what can be changed.</summary>
public sealed partial record MongoReplicaSetOptions
{
    /// <summary>
    /// Where the members come from. Default: <see cref="Engine.Containers"/>. What is published has <see cref="Engine.External"/>, whatever this is.
    /// </summary>
    public Engine Engine { get; init; } = Engine.Containers;

    /// <summary>
    /// Where members that are processes of this machine keep their data, and where certificates and the pass phrase are unless another place is named. The
    /// name of a container's volume is made of it. A set has a directory of its own.
    /// </summary>
    public required string DataDirectory { get; init; }

    /// <summary>The name of the set, which its members and clients agree on. Default: <c>rs0</c>.</summary>
    public string ReplicaSet { get; init; } = "rs0";

    /// <summary>The administrator, with the role <c>root</c>. Default: <c>root</c>.</summary>
    public string RootUser { get; init; } = "root";

    /// <summary>How many members the engine <see cref="Engine.DocumentDb"/> runs, 3 (default) or 1. The others have 3.</summary>
    public int Members { get; init; } = MemberData.MostMembers;

    /// <summary>The image of the engine <see cref="Engine.Containers"/>; null (the default): the official one of <see cref="Edition"/>.</summary>
    public string? Image { get; init; }

    /// <summary>Whose MongoDB the engine <see cref="Engine.Containers"/> runs. Default: <see cref="MongoEdition.Community"/>.</summary>
    public MongoEdition Edition { get; init; } = MongoEdition.Community;

    /// <summary>Whether servers of <see cref="MongoEdition.Percona"/> write an audit log. Default: false.</summary>
    public bool AuditLog { get; init; }

    /// <summary>The root file system with PostgreSQL, for the engine <see cref="Engine.DocumentDb"/>.</summary>
    public string? ServerImage { get; init; }

    /// <summary>The program that is a member of the engine <see cref="Engine.DocumentDb"/>, and its arguments.</summary>
    public IReadOnlyList<string> Gateway { get; init; } = [];

    /// <summary>What else each member of the engine <see cref="Engine.DocumentDb"/> is given. Default: nothing.</summary>
    public Action<IResourceBuilder<ExecutableResource>>? ConfigureMember { get; init; }

    /// <summary>Whether members take encrypted connections alone. Default: true.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Who signs their certificates; null (the default): an authority of the set's own, in <c>tls</c> of the data directory.</summary>
    public StackCertificates? Certificates { get; init; }

    /// <summary>Whether the data is encrypted on the disk. Default: false.</summary>
    public bool EncryptAtRest { get; init; }

    /// <summary>What it is encrypted with; null (the default): <c>secrets/at-rest.key</c> in the data directory, made where there is none.</summary>
    public string? PassPhraseFile { get; init; }

    /// <summary>
    /// The key of the AppHost's configuration with the connection string of the engine <see cref="Engine.External"/>; null (the default):
    /// <c>ConnectionStrings:NAME</c> of the set.
    /// </summary>
    public string? ConnectionStringKey { get; init; }

    /// <summary>What the names of volumes, and of the directory for sockets whose own path is too long, begin with. Default: <c>replica-set</c>.</summary>
    public string NamePrefix { get; init; } = "replica-set";

    /// <summary>What the dashboard shows as the source of the set; null (the default): the engine.</summary>
    public string? Source { get; init; }

    /// <summary>What the dashboard shows of the set besides. Default: nothing.</summary>
    public IReadOnlyList<ResourcePropertySnapshot> Properties { get; init; } = [];

    /// <summary>How messages call an option of this type, given its name, so that who reads one knows what to set. Default: by that name.</summary>
    public Func<string, string> SettingOf { get; init; } = option => option;

    /// <summary>The command that messages name as the one that removes the data; null (the default): <c>rm -rf</c> and the data directory.</summary>
    public string? RemoveCommand { get; init; }

    /// <summary>Where the Unix sockets of all members of the engine <see cref="Engine.DocumentDb"/> are.</summary>
    public string SocketDirectory => SocketDirectories.For(NamePrefix, DataDirectoryOf(1));

    internal string Removal => RemoveCommand ?? $"rm -rf '{DataDirectory}'";

    internal string PassPhrase => PassPhraseFile ?? Path.Combine(DataDirectory, "secrets", "at-rest.key");

    internal static string NativeScripts { get; } = Path.Combine(AppContext.BaseDirectory, "Native");

    /// <summary>The data directory of a member of the engine <see cref="Engine.DocumentDb"/>.</summary>
    /// <param name="member">Its number, from 1.</param>
    public string DataDirectoryOf(int member) => MemberData.DirectoryOf(Path.Combine(DataDirectory, "postgres"), member);

    /// <summary>What keeps a set with these options from being added.</summary>
    /// <exception cref="DistributedApplicationException">An option cannot be used; the sentence names it.</exception>
    internal void Check()
    {
        string? wrong = !Name().IsMatch(ReplicaSet) ? $"{SettingOf(nameof(ReplicaSet))} is '{ReplicaSet}', but must be of letters, digits, '_', '.' and '-'."
            : !Name().IsMatch(RootUser) ? $"{SettingOf(nameof(RootUser))} is '{RootUser}', but must be of letters, digits, '_', '.' and '-'."
            : Members is not (1 or MemberData.MostMembers) ? $"{SettingOf(nameof(Members))} is {Members}, but must be 1 or {MemberData.MostMembers}."
            : !Path.IsPathFullyQualified(DataDirectory) ? $"{SettingOf(nameof(DataDirectory))} is '{DataDirectory}', but must be a whole path."
            : Engine == Engine.DocumentDb && string.IsNullOrEmpty(ServerImage) ? $"The engine documentdb needs {SettingOf(nameof(ServerImage))}."
            : Engine == Engine.DocumentDb && Gateway.Count == 0 ? $"The engine documentdb needs {SettingOf(nameof(Gateway))}."
            : EncryptAtRest && (Engine is Engine.Mongod || (Engine == Engine.Containers && Edition == MongoEdition.Community))
                ? $"{SettingOf(nameof(EncryptAtRest))} is true, but MongoDB Community cannot encrypt its data."
            : null;
        if (wrong is not null)
        {
            throw new DistributedApplicationException(wrong);
        }
    }

    // What stands in connection strings as it is, and is an argument of programs.
    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    internal static partial Regex Name();
}
