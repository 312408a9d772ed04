using System.CommandLine;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary>The commands <c>migrator indexes ...</c>.</summary>
internal static class IndexCommands
{
    private static Option<bool> Json { get; } = new("--json") { Description = "Print JSON." };

    private static Option<bool> AllowDrop { get; } = new("--allow-drop")
    {
        Description = "Build changed indexes again, and get rid of unknown ones: a first run hides them, a later one drops them.",
    };

    private static Option<int> HiddenFor { get; } = JobCommandLine.WholeNumber(
        "--hidden-for", "HOURS", "How many hours an index has to be hidden before it is dropped.", 24, 0, 10_000);

    private static Option<bool> NoHide { get; } = new("--no-hide") { Description = "With --allow-drop: drop unknown indexes at once, without hiding them first." };

    public static Command Create()
    {
        var command = new Command("indexes", "Compare, build, measure and look after indexes.");
        command.Subcommands.Add(Plan());
        command.Subcommands.Add(Apply());
        command.Subcommands.Add(Status());
        command.Subcommands.Add(Usage());
        command.Subcommands.Add(Advise());
        command.Subcommands.Add(Maintain());
        return command;
    }

    private static Command Plan() => Report(
        new Command("plan", "Show which indexes are missing, changed or unknown. Changes nothing. Exits with 2 when there are any."),
        (session, _, token) => session.PlanAsync(token),
        IndexText.Print,
        report => report.InLine);

    private static Command Status() => Report(
        new Command("status", "Show how the indexes of each collection stand. Exits with 2 when they are not as declared."),
        (session, _, token) => session.StatusAsync(token),
        IndexText.Print,
        report => report.InLine);

    private static Command Usage()
    {
        var collection = new Option<string?>("--collection") { Description = "Only the indexes of this collection.", HelpName = "NAME" };
        collection.Validators.Add(option =>
        {
            if (option.Tokens.Count > 0 && CollectionCatalogue.All.All(definition => definition.Name != option.Tokens[0].Value))
            {
                option.AddError($"There is no collection '{option.Tokens[0].Value}': {string.Join(", ", CollectionCatalogue.All.Select(definition => definition.Name))}.");
            }
        });
        return Report(
            new Command("usage", "Show how often each index was used, as the server counted ($indexStats), and what it takes.") { collection },
            (session, result, token) => session.UsageAsync(result.GetValue(collection), token),
            IndexText.Print,
            _ => true);
    }

    private static Command Advise()
    {
        var days = JobCommandLine.WholeNumber("--unused-for", "DAYS", "After how many days without a query an index is called unused.", 7, 0, 10_000);
        var fail = new Option<bool>("--fail") { Description = "Exit with 2 when there is any advice." };
        return Report(
            new Command("advise", "Find indexes that slow queries lack (system.profile), that others make redundant, and that nobody uses. Changes nothing.") { days, fail },
            async (session, result, token) => (Report: await session.AdviseAsync(TimeSpan.FromDays(result.GetValue(days)), token), Fail: result.GetValue(fail)),
            (output, advice) => IndexText.Print(output, advice.Report),
            advice => !advice.Fail || advice.Report.Advice.Count == 0,
            advice => advice.Report);
    }

    private static Command Apply()
    {
        var command = new Command("apply", "Build what is missing and change what differs. Drops nothing without --allow-drop. Exits with 2 when something is left.") { AllowDrop, HiddenFor, NoHide };
        RequireAllowDrop(command);
        return Report(
            command,
            (session, result, token) => session.ApplyAsync(Removal(result), Progress(result), token),
            IndexText.Print,
            report => report.Complete);
    }

    private static Command Maintain()
    {
        var rebuild = Names("--rebuild", "Drop this declared index and build it again: COLLECTION.INDEX, COLLECTION, or all. Queries lack it meanwhile.");
        var restore = Names("--restore", "Let queries see this hidden index again: COLLECTION.INDEX.");
        var command = new Command("maintain", "Show what each index takes against its budget and which should be hidden, dropped or built again; do it when asked to. Exits with 2 when the budget is exceeded.")
        {
            AllowDrop, HiddenFor, NoHide, rebuild, restore,
        };
        RequireAllowDrop(command);
        return Report(
            command,
            (session, result, token) => session.MaintainAsync(
                Removal(result), result.GetValue(rebuild) ?? [], result.GetValue(restore) ?? [], Progress(result), token),
            IndexText.Print,
            report => report.WithinBudget);
    }

    private static Command Report<TReport>(
        Command command,
        Func<IndexSession, ParseResult, CancellationToken, Task<TReport>> run,
        Action<TextWriter, TReport> print,
        Func<TReport, bool> isWell,
        Func<TReport, object>? json = null)
        where TReport : notnull
    {
        command.Options.Add(Json);
        command.SetAction((result, cancellationToken) => MigratorJob.RunAsync(
            "migrator",
            quiet: true,
            async (session, token) =>
            {
                var report = await run(session.Indexes, result, token);
                if (result.GetValue(Json))
                {
                    await Console.Out.WriteLineAsync(ReportText.Json(json is null ? report : json(report)));
                }
                else
                {
                    print(Console.Out, report);
                }

                return isWell(report) ? ExitCodes.Success : ExitCodes.Refused;
            },
            cancellationToken,
            result.GetValue(Json)));
        return command;
    }

    private static IndexRemoval Removal(ParseResult result) => new(
        result.GetValue(AllowDrop), TimeSpan.FromHours(result.GetValue(HiddenFor)), result.GetValue(NoHide));

    // Progress belongs to people: JSON stands alone on standard output.
    private static IndexProgress Progress(ParseResult result) =>
        result.GetValue(Json) ? new IndexProgress(Console.Error, isTerminal: false) : new IndexProgress(Console.Out, !Console.IsOutputRedirected);

    private static void RequireAllowDrop(Command command) => command.Validators.Add(result =>
    {
        if (!result.GetValue(AllowDrop) && (result.GetValue(NoHide) || result.GetResult(HiddenFor) is { Implicit: false }))
        {
            result.AddError("--hidden-for and --no-hide say how to drop; they need --allow-drop.");
        }
    });

    private static Option<string[]> Names(string name, string description) =>
        new(name) { Description = description, HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
}
