using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Platform.Jobs;

/// <summary>The command line of a job: help for who asks, one sentence for who mistypes.</summary>
public static class JobCommandLine
{
    /// <summary>The option of all commands that can print JSON.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Print JSON; what is logged goes to standard error." };

    /// <summary>Makes the command that all others are below, with the options <c>--help</c> and <c>--version</c>.</summary>
    /// <param name="name">What it is called, in the help and in sentences.</param>
    /// <param name="description">What it does.</param>
    /// <remarks>No <see cref="RootCommand"/>: that is always called as its file is.</remarks>
    public static Command Create(string name, string description) => new(name, description) { new HelpOption(), new VersionOption() };

    /// <summary>Parses the words and runs the command that they name.</summary>
    /// <param name="command">What <see cref="Create"/> made.</param>
    /// <param name="words">The words after the program's name.</param>
    /// <param name="patience">How long it may take to end after Ctrl-C or SIGTERM; two seconds when not given.</param>
    /// <returns>What the command returned; <see cref="ExitCodes.Usage"/>, with one sentence on standard error, when the words are wrong.</returns>
    public static async Task<int> RunAsync(Command command, string[] words, TimeSpan? patience = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        var result = command.Parse(words);
        if (Mistake(result) is not { } mistake)
        {
            var invocation = new InvocationConfiguration();
            invocation.ProcessTerminationTimeout = patience ?? invocation.ProcessTerminationTimeout;
            return await result.InvokeAsync(invocation);
        }

        await Console.Error.WriteLineAsync($"{command.Name}: {mistake}");
        return ExitCodes.Usage;
    }

    /// <summary>What is wrong with a command line, in one sentence, and what helps; null when nothing is wrong.</summary>
    /// <param name="result">The command line, parsed.</param>
    public static string? Mistake(ParseResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (result.Errors is not [var first, ..])
        {
            return null;
        }

        var path = Path(result.CommandResult);
        var command = result.CommandResult.Command;
        var commands = command.Subcommands.Select(below => below.Name).ToList();
        if (result.UnmatchedTokens is [var word, ..])
        {
            var sentence = word.StartsWith('-') ? $"'{path}' has no option '{word}'."
                : commands.Count > 0 ? $"There is no command '{word}'; the commands of '{path}' are {List(commands)}."
                : $"'{path}' does not know what to do with '{word}'.";
            return $"{sentence} {(Suggested(result, word) is { } suggested ? $"Did you mean '{suggested}'?" : $"See '{path} --help'.")}";
        }

        var said = command.Action is null && commands.Count > 0 ? $"'{path}' needs a command: {List(commands)}."
            : Lacking(first) is { } option ? $"{option.Name} needs a value{(option.HelpName is { } what ? $": {option.Name} {what}" : "")}."
            : command.Arguments.FirstOrDefault(
                argument => argument.Arity.MinimumNumberOfValues > 0 && result.GetResult(argument)?.Tokens is null or []) is { } argument
                ? $"'{path}' needs a {argument.Name}: {path} {argument.Name.ToUpperInvariant()}."
            : first.Message;
        return $"{said} See '{path} --help'.";
    }

    /// <summary>An option with a whole number. (The parser's own sentence on a word that is no number names types of .NET.)</summary>
    /// <param name="name">Its name, with the dashes.</param>
    /// <param name="unit">What the help calls the number.</param>
    /// <param name="description">What it is.</param>
    /// <param name="initial">Its default.</param>
    /// <param name="least">The least that it may be.</param>
    /// <param name="most">The most that it may be.</param>
    public static Option<int> WholeNumber(string name, string unit, string description, int initial, int least, int most) => new(name)
    {
        Description = description,
        HelpName = unit,
        DefaultValueFactory = _ => initial,
        CustomParser = result => NumberOf(result, name, least, most) ?? initial,
    };

    /// <summary>As the other, without a default: null when it is not given.</summary>
    /// <inheritdoc cref="WholeNumber(string, string, string, int, int, int)"/>
    public static Option<int?> WholeNumber(string name, string unit, string description, int least, int most) => new(name)
    {
        Description = description,
        HelpName = unit,
        CustomParser = result => NumberOf(result, name, least, most),
    };

    private static int? NumberOf(ArgumentResult result, string name, int least, int most)
    {
        if (int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= least
            && value <= most)
        {
            return value;
        }

        result.AddError(
            string.Create(CultureInfo.InvariantCulture, $"{name} must be a whole number between {least} and {most}, not '{result.Tokens[0].Value}'."));
        return null;
    }

    // The option whose value is missing, whether the parser says so of it or of the value.
    private static Option? Lacking(ParseError error)
    {
        for (var place = error.SymbolResult; place is not null; place = place.Parent)
        {
            if (place is OptionResult { Implicit: false, Tokens: [], Option: { Arity.MinimumNumberOfValues: > 0 } option })
            {
                return option;
            }
        }

        return null;
    }

    /// <summary>A command with those that it is below: <c>migrator access apply</c>.</summary>
    internal static string Path(CommandResult? result) =>
        result is null ? "" : $"{Path(result.Parent as CommandResult)} {result.Command.Name}".TrimStart();

    private static string List(List<string> names) =>
        names.Count < 2 ? string.Concat(names) : $"{string.Join(", ", names.Take(names.Count - 1))} and {names[^1]}";

    // The package finds words that are near, and prints them below a line of its own.
    private static string? Suggested(ParseResult result, string word)
    {
        if (result.Action is not ParseErrorAction action)
        {
            return null;
        }

        (action.ShowHelp, action.ShowTypoCorrections) = (false, true);
        using var output = new StringWriter();
        result.Invoke(new InvocationConfiguration { Output = output, Error = TextWriter.Null });
        return output.ToString().Split(Environment.NewLine) is [var line, { Length: > 0 } first, ..] && line.Contains($"'{word}'", StringComparison.Ordinal)
            ? first
            : null;
    }
}
