using System.Collections.Frozen;

namespace Platform.Gateway.Commands;

/// <summary>Every command that the gateway knows, by name.</summary>
internal sealed class CommandTable
{
    private readonly FrozenDictionary<string, CommandDefinition> _byName;

    /// <summary>Collects the families; throws when two define the same name.</summary>
    public CommandTable(IEnumerable<ICommandFamily> families)
    {
        All = [.. families.SelectMany(f => f.Commands).OrderBy(c => c.Name, StringComparer.Ordinal)];
        _byName = All.SelectMany(c => c.Aliases.Prepend(c.Name).Select(name => KeyValuePair.Create(name, c)))
            .ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>The commands in order of their names.</summary>
    public IReadOnlyList<CommandDefinition> All { get; }

    /// <summary>The command of this name, or null.</summary>
    public CommandDefinition? Find(string name) => _byName.GetValueOrDefault(name);
}
