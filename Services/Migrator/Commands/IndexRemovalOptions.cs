using System.CommandLine;
using Platform.Jobs;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary>How <c>migrator indexes apply</c> and <c>maintain</c> may get rid of indexes.</summary>
internal static class IndexRemovalOptions
{
    private static Option<bool> AllowDrop { get; } = new("--allow-drop")
    {
        Description = "Build changed indexes again, and get rid of unknown ones: a first run hides them, a later one drops them.",
    };

    private static Option<int> HiddenFor { get; } = JobCommandLine.WholeNumber(
        "--hidden-for", "HOURS", "How many hours an index has to be hidden before it is dropped.", 24, 0, 10_000);

    private static Option<bool> NoHide { get; } =
        new("--no-hide") { Description = "With --allow-drop: drop unknown indexes at once, without hiding them first." };

    /// <summary>Gives a command the options, before its own.</summary>
    public static Command WithRemoval(this Command command)
    {
        command.Options.Insert(0, AllowDrop);
        command.Options.Insert(1, HiddenFor);
        command.Options.Insert(2, NoHide);
        command.Validators.Add(result =>
        {
            if (!result.GetValue(AllowDrop) && (result.GetValue(NoHide) || result.GetResult(HiddenFor) is { Implicit: false }))
            {
                result.AddError("--hidden-for and --no-hide say how to drop; they need --allow-drop.");
            }
        });
        return command;
    }

    /// <summary>What the command line says.</summary>
    public static IndexRemoval Read(ParseResult result) => new(
        result.GetValue(AllowDrop), TimeSpan.FromHours(result.GetValue(HiddenFor)), result.GetValue(NoHide));
}
