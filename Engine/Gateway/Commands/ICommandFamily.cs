namespace Platform.Gateway.Commands;

/// <summary>Commands that belong together.</summary>
internal interface ICommandFamily
{
    /// <summary>The commands.</summary>
    IEnumerable<CommandDefinition> Commands { get; }
}
