using Platform;
using Platform.Migrator;

var result = MigratorCommands.Create().Parse(args);
if (result.Errors.Count > 0)
{
    await Console.Error.WriteLineAsync($"migrator: {result.Errors[0].Message} See 'migrator --help'.");
    return ExitCodes.Usage;
}

return await result.InvokeAsync();
