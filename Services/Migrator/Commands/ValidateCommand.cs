using System.CommandLine;
using System.Globalization;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Jobs.Progress;
using Platform.Migrator.Validation;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator validate</c>: reads all documents and says which break rules.</summary>
internal sealed class ValidateCommand(IMongoDatabase database)
{
    private const int ExamplesPerCollection = 5;

    public static Command Create()
    {
        var collections = new Option<string[]>("--collection")
        {
            Description = "The collection to validate; can be given several times. Default: all collections.",
        }.OfCollections();
        var file = new Option<string>("--fix-report")
        {
            Description = "Write every violation into this file, as JSON lines with collection, id, pointer, code and detail.",
            HelpName = "FILE",
        };
        file.Validators.Add(option =>
        {
            if (option.Tokens is [{ Value: var path }] && (path.Length == 0 || !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))))
            {
                option.AddError($"--fix-report: the directory of '{path}' does not exist.");
            }
        });
        var command = new Command(
            "validate",
            "Read all documents and check them by the rules of their collections; changes nothing. Exits with 2 when documents break rules.")
        {
            collections, file, JobCommandLine.Json,
        };
        command.SetAction((result, cancellationToken) =>
        {
            var names = result.GetValue(collections) ?? [];
            var chosen = CollectionCatalogue.Domain.Where(collection => names.Length == 0 || names.Contains(collection.Name)).ToList();
            var (path, json) = (result.GetValue(file), result.GetValue(JobCommandLine.Json));
            return MigratorJob.RunAsync<ValidateCommand>(
                quiet: true, json, (validate, token) => validate.RunAsync(chosen, path, json, token), cancellationToken);
        });
        return command;
    }

    public async Task<int> RunAsync(IReadOnlyList<CollectionDefinition> collections, string? path, bool json, CancellationToken cancellationToken)
    {
        FixReport? file;
        try
        {
            file = path is null ? null : FixReport.Create(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"{MigratorJob.Name}: the report cannot be written: {exception.Message}");
            return ExitCodes.CannotCreate;
        }

        // Progress goes where the result does not: to a terminal as bars, else to standard error as lines.
        var progress = JobProgress.Show("read", Console.Error, bars: !json);
        await using (file)
        {
            var run = new ValidationRun(new CollectionScan(database), file, path, ExamplesPerCollection);
            var report = await run.RunAsync(collections, progress, cancellationToken);
            return JobReport.Print(report, json, Print, report.Valid);
        }
    }

    private static void Print(TextWriter output, ValidationReport report)
    {
        foreach (var collection in report.Collections.Where(collection => collection.Violating > 0))
        {
            Line($"{collection.Collection}: {collection.Violating:N0} of {collection.Documents:N0} documents break rules");
            foreach (var (rule, count) in collection.ByRule)
            {
                Line($"  {count,8:N0}  {rule}");
            }

            foreach (var example in report.Examples.Where(example => example.Collection == collection.Collection))
            {
                Line($"  {example.Id} {example.Pointer}: {example.Detail}");
            }
        }

        if (!report.Valid)
        {
            Line(
                report.FixReport is null ? (FormattableString)$"All of them: migrator validate --fix-report FILE." : $"All of them are in {report.FixReport}.");
        }

        var documents = report.Collections.Sum(collection => collection.Documents);
        Line(report.Valid
            ? (FormattableString)$"All {documents:N0} documents obey the rules."
            : $"{report.Collections.Sum(collection => collection.Violating):N0} of {documents:N0} documents break rules.");

        void Line(FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
