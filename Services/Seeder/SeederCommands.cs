using System.CommandLine;
using Platform.Jobs;
using Platform.Seeder.Commands;

namespace Platform.Seeder;

/// <summary>The seeder's command line: one class for each command says what it takes and does it.</summary>
internal static class SeederCommands
{
    public static Command Create()
    {
        var root = RunCommand.Complete(JobCommandLine.Create(SeederJob.Name, """
            Fills the platform's database with made-up data for development, and removes it again. Without a command: run.

            Writes only into databases that are marked as development, and never in the environment Production. An empty
            database is marked by the first run when DOTNET_ENVIRONMENT is Development.

            Exit codes: 0 done, 1 failed, 2 refused or not as seeded, 64 wrong command line, 69 no database,
            75 another seeder is at work, 78 wrong setting, 130 interrupted.
            Settings: ConnectionStrings__platform, Seeder__DatabaseTimeout (15 s), Seeder__Writers (3).
            """));
        root.Subcommands.Add(RunCommand.Complete(
            new Command("run", "Write the data, unless it is there already. An interrupted run is completed by the next one.")));
        root.Subcommands.Add(CleanCommand.Create());
        root.Subcommands.Add(StatusCommand.Create());
        root.Subcommands.Add(VerifyCommand.Create());
        root.Subcommands.Add(MarkCommand.Create());
        return root;
    }
}
