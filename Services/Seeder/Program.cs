using Platform;
using Platform.Seeder;

var result = SeederCommands.Create().Parse(args);
if (result.Errors.Count > 0)
{
    await Console.Error.WriteLineAsync($"seeder: {result.Errors[0].Message} See 'seeder --help'.");
    return ExitCodes.Usage;
}

return await result.InvokeAsync();
