using System.CommandLine;
using System.Globalization;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Validation;
using Spectre.Console;

namespace Platform.Migrator.Commands;

/// <summary>The command <c>migrator validate</c>.</summary>
internal static class ValidateCommand
{
    private const int ExamplesPerCollection = 5;

    public static Command Create()
    {
        var collections = new Option<string[]>("--collection")
        {
            Description = "The collection to validate; can be given several times. Default: all collections.",
            HelpName = "NAME",
        };
        collections.Validators.Add(option =>
        {
            foreach (var name in option.Tokens.Select(token => token.Value).Where(name => CollectionCatalogue.All.All(collection => collection.Name != name)))
            {
                option.AddError($"There is no collection '{name}'; there are {string.Join(", ", CollectionCatalogue.All.Select(collection => collection.Name))}.");
            }
        });
        var report = new Option<string>("--fix-report")
        {
            Description = "Write every violation into this file, as JSON lines with collection, id, pointer, code and detail.",
            HelpName = "FILE",
        };
        report.Validators.Add(option =>
        {
            if (option.Tokens is [{ Value: var path }] && (path.Length == 0 || !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))))
            {
                option.AddError($"--fix-report: the directory of '{path}' does not exist.");
            }
        });
        var json = new Option<bool>("--json") { Description = "Print the result as JSON." };
        var command = new Command(
            "validate",
            "Read all documents and check them by the rules of their collections; changes nothing. Exits with 2 when documents break rules.")
        {
            collections, report, json,
        };
        command.SetAction((result, cancellationToken) =>
        {
            var names = result.GetValue(collections) ?? [];
            var chosen = CollectionCatalogue.All.Where(collection => names.Length == 0 || names.Contains(collection.Name)).ToList();
            var path = result.GetValue(report);
            var asJson = result.GetValue(json);
            return MigratorJob.RunAsync(
                "migrator", quiet: true, (session, token) => RunAsync(session.Database, chosen, path, asJson, token), cancellationToken, asJson);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        IMongoDatabase database, IReadOnlyList<CollectionDefinition> collections, string? path, bool asJson, CancellationToken cancellationToken)
    {
        FixReport? file = null;
        try
        {
            file = path is null ? null : FixReport.Create(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"migrator: the report cannot be written: {exception.Message}");
            return ExitCodes.CannotCreate;
        }

        ValidationReport result;
        await using (file)
        {
            var run = new ValidationRun(new CollectionScan(database), file, path, ExamplesPerCollection);

            // Progress goes where the result does not: to a terminal as bars, else to standard error as lines.
            result = !asJson && AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected
                ? await AnsiConsole.Progress()
                    .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                    .StartAsync(context => run.RunAsync(collections, new TerminalScanProgress(context), cancellationToken))
                : await run.RunAsync(collections, new PlainScanProgress(Console.Error, TimeProvider.System), cancellationToken);
        }

        await Console.Out.WriteLineAsync(asJson ? ReportText.Json(result) : Text(result));
        return result.Valid ? ExitCodes.Success : ExitCodes.Refused;
    }

    private static string Text(ValidationReport report)
    {
        var lines = new List<string>();
        foreach (var collection in report.Collections.Where(collection => collection.Violating > 0))
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{collection.Collection}: {collection.Violating:N0} of {collection.Documents:N0} documents break rules"));
            lines.AddRange(collection.ByRule.Select(rule => string.Create(CultureInfo.InvariantCulture, $"  {rule.Value,8:N0}  {rule.Key}")));
            lines.AddRange(report.Examples.Where(example => example.Collection == collection.Collection)
                .Select(example => $"  {example.Id} {example.Pointer}: {example.Detail}"));
        }

        if (report is { Valid: false, FixReport: null })
        {
            lines.Add("All of them: migrator validate --fix-report FILE.");
        }
        else if (report is { Valid: false })
        {
            lines.Add($"All of them are in {report.FixReport}.");
        }

        var documents = report.Collections.Sum(collection => collection.Documents);
        lines.Add(report.Valid
            ? string.Create(CultureInfo.InvariantCulture, $"All {documents:N0} documents obey the rules.")
            : string.Create(CultureInfo.InvariantCulture, $"{report.Collections.Sum(collection => collection.Violating):N0} of {documents:N0} documents break rules."));
        return string.Join(Environment.NewLine, lines);
    }
}
