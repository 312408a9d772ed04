using System.CommandLine;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Authoring;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator new</c>: writes the files of a new migration.</summary>
internal static class NewCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "The name, in lower case with underscores, such as split_customer_name." };
        name.Validators.Add(argument =>
        {
            if (argument.GetValueOrDefault<string>() is { } given && !MigrationScaffold.IsName(given))
            {
                argument.AddError(
                    $"'{given}' is not a migration's name: words of lower-case letters and digits with underscores between them, the first beginning with a "
                        + $"letter, "
                    + $"at most {MigrationScaffold.MaxNameLength} characters, and no keyword of C#.");
            }
        });
        var command = new Command(
            "new",
            "Write the source and the test of a new migration, to be filled in, and the catalogue beside it when it changed. Run it inside the repository, "
                + "after a build; './platform migrator new' builds first.") { name, JobCommandLine.Json };
        command.SetAction((result, _) => RepositoryFiles.RunAsync(root => RunAsync(root, result.GetRequiredValue(name), result.GetValue(JobCommandLine.Json))));
        return command;
    }

    private static Task<int> RunAsync(string root, string name, bool json)
    {
        if (MigrationScaffold.Objection(root, name) is { } objection)
        {
            return RepositoryFiles.FailAsync(ExitCodes.Refused, objection);
        }

        var catalogue = CatalogueSnapshot.Write(CollectionCatalogue.All);
        var migrations = MigrationCatalogue.FindIn(typeof(NewCommand).Assembly);
        var isSame = CatalogueSnapshot.Write(MigrationCatalogue.StructureAt(migrations, migrations.Count)) == catalogue;
        var files = MigrationScaffold.Create(root, name, isSame ? null : catalogue);
        return Task.FromResult(JobReport.Print(
            new { Files = files },
            json,
            (output, _) =>
            {
                foreach (var file in files)
                {
                    output.WriteLine($"Wrote {file}");
                }

                output.WriteLine("Fill in source and test, then run './platform migrator fingerprint'.");
            },
            isGood: true));
    }
}
