using System.CommandLine;
using System.Text.RegularExpressions;
using Platform.Seeder.Storage;

namespace Platform.Seeder.Commands;

/// <summary><c>seeder mark</c>: says what a database is for.</summary>
internal sealed partial class MarkCommand(SeedStore store, SeedGuard guard)
{
    public static Command Create()
    {
        var database = new Argument<string>("database") { Description = "The database's name, typed so that it is not the wrong one." };
        var name = new Option<string>("--as")
        {
            Description = "What the database is for; any name but development keeps the seeder out.", HelpName = "NAME",
            DefaultValueFactory = _ => EnvironmentMark.Development,
        };
        name.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !MarkName().IsMatch(result.Tokens[0].Value))
            {
                result.AddError("--as must be a word of lower-case letters, digits and hyphens, such as staging.");
            }
        });
        var command = new Command("mark", "Mark a database that holds data already as development, or as something else.") { database, name };
        command.SetAction((result, cancellationToken) => SeederJob.RunAsync<MarkCommand>(
            (mark, token) => mark.RunAsync(result.GetValue(database)!, result.GetValue(name)!, Console.Out, token), cancellationToken));
        return command;
    }

    private async Task RunAsync(string typedName, string name, TextWriter output, CancellationToken cancellationToken)
    {
        await guard.MarkAsync(typedName, name, cancellationToken);
        await output.WriteLineAsync($"The database '{store.Name}' is marked as {name}.");
    }

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex MarkName();
}
