using System.CommandLine;
using System.Globalization;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Authoring;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator fingerprint</c>: records the checksums of migrations and of the catalogue, or checks them.</summary>
internal static class FingerprintCommand
{
    public static Command Create()
    {
        var check = new Option<bool>("--check") { Description = "Change nothing; exit with 2 when the file is not as it should be." };
        var unreleased = new Option<bool>("--unreleased")
        {
            Description = "No database that matters has the latest migration: accept that it, or the catalogue, was changed, or that it is gone.",
        };
        var command = new Command(
            "fingerprint",
            "Record the checksums of new migrations and of the catalogue in Migrations/checksums.txt, and the catalogue itself beside the latest migration "
                + "when it changed. Run it inside the repository, after a build; './platform migrator fingerprint' builds first.")
        {
            check, unreleased, JobCommandLine.Json,
        };
        command.SetAction((result, cancellationToken) => RepositoryFiles.RunAsync(
            root => RunAsync(root, result.GetValue(check), result.GetValue(unreleased), result.GetValue(JobCommandLine.Json), cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(string root, bool check, bool unreleased, bool json, CancellationToken cancellationToken)
    {
        IReadOnlyList<MigrationDescriptor> migrations;
        IReadOnlyList<string> problems;
        try
        {
            migrations = MigrationCatalogue.FindIn(typeof(FingerprintCommand).Assembly);
            problems = await RecordAsync(root, migrations, check, unreleased, cancellationToken);
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            return await RepositoryFiles.FailAsync(ExitCodes.Refused, exception.Message);
        }

        if (json || problems.Count == 0)
        {
            JobReport.Print(
                new { Ok = problems.Count == 0, Problems = problems, Migrations = migrations.Count },
                json,
                (output, _) => output.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"checksums.txt has {migrations.Count} migrations and the catalogue.")),
                isGood: true);
        }

        return await RepositoryFiles.FailAsync(problems.Count == 0 ? ExitCodes.Success : ExitCodes.Refused, problems);
    }

    private static async Task<IReadOnlyList<string>> RecordAsync(
        string root, IReadOnlyList<MigrationDescriptor> migrations, bool check, bool unreleased, CancellationToken cancellationToken)
    {
        var file = Path.Combine(root, MigrationScaffold.Migrations, "checksums.txt");
        var ledger = MigrationLedger.Parse(File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : "");
        var catalogue = CollectionCatalogue.Checksum();
        if (check)
        {
            return [.. ledger.Compare(migrations, catalogue), .. PinnedStructure.Problems(migrations)];
        }

        var pinned = PinnedStructure.Of(migrations, CatalogueSnapshot.Write(CollectionCatalogue.All));
        var objections = ledger.Objections(pinned.Migrations, catalogue, unreleased);
        if (objections.Count == 0)
        {
            await pinned.WriteAsync(Path.Combine(root, MigrationScaffold.Migrations), cancellationToken);
            await File.WriteAllTextAsync(file, ledger.Render(pinned.Migrations, catalogue), cancellationToken);
        }

        return objections;
    }
}
