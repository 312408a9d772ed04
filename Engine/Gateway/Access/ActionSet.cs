using System.Collections.Frozen;

namespace Platform.Gateway.Access;

/// <summary>A set of actions, as bits.</summary>
internal readonly record struct ActionSet
{
    private static readonly string[] s_names = [.. Enum.GetNames<AccessAction>().Select(name => char.ToLowerInvariant(name[0]) + name[1..])];

    private static readonly FrozenDictionary<string, AccessAction> s_byName =
        Enum.GetValues<AccessAction>().ToFrozenDictionary(action => s_names[(int)action], StringComparer.Ordinal);

    private readonly UInt128 _bits;

    /// <summary>A set of these actions.</summary>
    public ActionSet(params ReadOnlySpan<AccessAction> actions)
    {
        foreach (var action in actions)
        {
            _bits |= UInt128.One << (int)action;
        }
    }

    private ActionSet(UInt128 bits) => _bits = bits;

    /// <summary>All actions: what the server calls <c>anyAction</c>.</summary>
    public static ActionSet All { get; } = new(Enum.GetValues<AccessAction>());

    /// <summary>Whether there is none in it.</summary>
    public bool IsEmpty => _bits == UInt128.Zero;

    /// <summary>How many there are.</summary>
    public int Count => (int)UInt128.PopCount(_bits);

    /// <summary>The names of the actions, in their alphabetical order.</summary>
    public IEnumerable<string> Names
    {
        get
        {
            var set = this;
            return s_names.Where((_, i) => set.Contains((AccessAction)i)).Order(StringComparer.Ordinal);
        }
    }

    /// <summary>The name of an action in commands: <c>find</c>.</summary>
    public static string NameOf(AccessAction action) => s_names[(int)action];

    /// <summary>The set that a name in a command stands for: one action, or all of them for <c>anyAction</c>; null when there is no such action.</summary>
    public static ActionSet? OfName(string name) =>
        name == "anyAction" ? All : s_byName.TryGetValue(name, out var action) ? new ActionSet(action) : null;

    /// <summary>Whether an action is in it.</summary>
    public bool Contains(AccessAction action) => (_bits & (UInt128.One << (int)action)) != UInt128.Zero;

    /// <summary>Whether it has an action of the other one.</summary>
    public bool Overlaps(ActionSet other) => (_bits & other._bits) != UInt128.Zero;

    /// <summary>The actions of both.</summary>
    public static ActionSet operator |(ActionSet one, ActionSet other) => new(one._bits | other._bits);

    /// <summary>The actions of the first that are not in the second.</summary>
    public static ActionSet operator -(ActionSet one, ActionSet other) => new(one._bits & ~other._bits);
}
