using Platform.Gateway.Access;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Authorization;

/// <summary>
/// What a command needs of whoever sends it: the actions, and the resource that they are for. Each command of the table says it, and it is asked before
/// anything of the command is done. To answer takes no query and allocates nothing where one action on one resource decides.
/// </summary>
internal sealed class CommandAccess
{
    private readonly Func<Request, User, bool> _allows;

    private CommandAccess(string needs, Func<Request, User, bool> allows)
    {
        Needs = needs;
        _allows = allows;
    }

    /// <summary>What is needed, in words.</summary>
    public string Needs { get; }

    /// <summary>Whether that is about the cluster and not about data.</summary>
    public bool IsOfCluster { get; private init; }

    /// <summary>Nothing but a login, if that: what tells of nobody else and changes nothing, or what belongs to the user alone.</summary>
    public static CommandAccess Everybody { get; } = new("nothing", static (_, _) => true);

    /// <summary>An action on the cluster.</summary>
    public static CommandAccess Cluster(AccessAction action) => new(
        $"{ActionSet.NameOf(action)} on the cluster", (_, user) => user.Rights.OnCluster(action)) { IsOfCluster = true };

    /// <summary>An action on the database that the command addresses.</summary>
    public static CommandAccess Database(AccessAction action) => new(
        $"{ActionSet.NameOf(action)} on the database", (request, user) => user.Rights.OnDatabase(request.Database, action));

    /// <summary>An action on the collection that the command's first field names; without a name, on the database.</summary>
    public static CommandAccess Collection(AccessAction action) => new(
        $"{ActionSet.NameOf(action)} on the collection", (request, user) => On(request, user, action));

    /// <summary>What depends on more of the command than its first field.</summary>
    /// <param name="needs">What is needed, in words.</param>
    /// <param name="allows">Whether the user has it.</param>
    public static CommandAccess Of(string needs, Func<Request, User, bool> allows) => new(needs, allows);

    /// <summary>Whether a user may send a command.</summary>
    public bool Allows(Request request, User user) => _allows(request, user);

    /// <summary>Whether an action is allowed on what the command's first field names.</summary>
    internal static bool On(Request request, User user, AccessAction action) => request.Target is { } collection
        ? user.Rights.OnCollection(request.Database, collection, action)
        : user.Rights.OnDatabase(request.Database, action);
}
