namespace Platform.Migrator.DryRun;

/// <summary>A command that a dry run kept from the server.</summary>
/// <param name="Command">The command's name.</param>
/// <param name="Collection">What it is about; null when it is about no collection.</param>
/// <param name="Text">The command in extended JSON, without what only concerns the connection; of a long list, the first entries.</param>
/// <param name="Statements">How many documents, statements or indexes the command holds.</param>
public sealed record WithheldCommand(string Command, string? Collection, string Text, int Statements);
