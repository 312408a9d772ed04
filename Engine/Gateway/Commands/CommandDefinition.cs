using Platform.Gateway.Authorization;

namespace Platform.Gateway.Commands;

/// <summary>Runs a command and returns the reply document.</summary>
internal delegate ValueTask<ReadOnlyMemory<byte>> CommandHandler(CommandContext context);

/// <summary>A command that the gateway knows.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Access">What it needs of whoever sends it.</param>
/// <param name="Handler">What it does.</param>
/// <param name="Traits">How it may be used.</param>
/// <param name="Aliases">Other spellings that clients use.</param>
internal sealed record CommandDefinition(
    string Name, CommandAccess Access, CommandHandler Handler, CommandTraits Traits = CommandTraits.None, params IReadOnlyList<string> Aliases)
{
    /// <summary>What it can be asked to promise.</summary>
    public CommandPromises Promises { get; } = PromiseTable.Of(Name);

    /// <summary>Whether a member that is not primary runs it. An aggregation may also write, which only its pipeline tells.</summary>
    public SecondaryUse OnSecondary { get; } = PromiseTable.OnSecondary(Name);

    /// <summary>What the audit log has of it; null for nothing.</summary>
    public CommandAudit? Audit { get; } = AuditTable.Of(Name);

    /// <summary>Its own arguments as far as the backend does not look at them; null when there is nothing to check.</summary>
    public CommandOptions? Options { get; } = CommandOptions.Of(Name);
}
