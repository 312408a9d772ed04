using System.CommandLine;
using System.Net.Sockets;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.SecurityTool.Checks;
using Platform.SecurityTool.Reports;
using Platform.SecurityTool.Secrets;
using Platform.SecurityTool.Stack;
using StackExchange.Redis;

namespace Platform.SecurityTool;

/// <summary>The command line of the security checks.</summary>
internal static class SecurityCommands
{
    private const string Name = "security";
    private const string StackVariable = "Security__StackFile";
    private const string MarkVariable = "Security__Mark";

    private static readonly Option<bool> s_sarif = new("--sarif") { Description = "Print SARIF 2.1.0, which code hosts read." };

    private static readonly Option<string[]> s_only = new("--only")
    {
        Description = "Only these checks; several with spaces.", HelpName = "CHECK", AllowMultipleArgumentsPerToken = true,
    };

    public static Command Create()
    {
        var root = JobCommandLine.Create(Name, $"""
            Looks whether a running stack is as secure as it is to be, which changes nothing; and tells of the secrets that it has generated.

            Exit codes: 0 all that apply hold, 2 one does not or nobody can say, 64 wrong command line, 78 wrong setting.
            Settings: {StackVariable}, the stack file, and {MarkVariable}, a variable (NAME=VALUE) that all processes of the stack have in their environment;
            ./platform security has those of the checkout.
            """);
        s_only.AcceptOnlyFromAmong([.. CheckCatalogue.All.Select(check => check.Id)]);
        var check = new Command("check", "Run the checks. Each says what it saw, why it matters and how to mend it.") { JobCommandLine.Json, s_sarif, s_only };
        check.Validators.Add(result =>
        {
            if (result.GetValue(JobCommandLine.Json) && result.GetValue(s_sarif))
            {
                result.AddError("--json and --sarif exclude each other.");
            }
        });
        check.SetAction(CheckAsync);
        root.Subcommands.Add(check);
        root.Subcommands.Add(SecretCommands.Create());
        return root;
    }

    /// <summary>Runs checks one after the other; one that cannot be answered does not keep the others from it.</summary>
    /// <param name="checks">The checks.</param>
    /// <param name="stack">The stack.</param>
    /// <param name="cancellationToken">Ends them.</param>
    internal static async Task<SecurityReport> RunAsync(IEnumerable<SecurityCheck> checks, RunningStack stack, CancellationToken cancellationToken)
    {
        var lines = new List<CheckedLine>();
        foreach (var check in checks)
        {
            CheckOutcome outcome;
            try
            {
                outcome = await check.RunAsync(stack, cancellationToken);
            }
            catch (Exception exception) when (IsOfTheStack(exception) && !cancellationToken.IsCancellationRequested)
            {
                outcome = new(CheckVerdict.Unknown, [exception.Message.Split('\n')[0].Trim()]);
            }

            lines.Add(new(check.Id, check.Title, outcome.Verdict, outcome.Evidence, check.Why, check.Mend, check.Source));
        }

        return new(lines);
    }

    // What servers that do not answer, and files that others hold, make of a question.
    private static bool IsOfTheStack(Exception exception) =>
        exception is MongoException or RedisException or HttpRequestException or SocketException or TimeoutException or IOException
            or UnauthorizedAccessException or OperationCanceledException;

    private static async Task<int> CheckAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable(StackVariable) is not { Length: > 0 } file)
        {
            await Console.Error.WriteLineAsync($"{Name}: {StackVariable} is not set.");
            return ExitCodes.Configuration;
        }

        RunningStack stack;
        try
        {
            var audit = JobAudit.Settings(out var mistakes);
            stack = mistakes is [var mistake, ..] ? throw new InvalidDataException(mistake)
                : RunningStack.Read(file, audit, Environment.GetEnvironmentVariable(MarkVariable));
        }
        catch (Exception exception) when (exception is InvalidDataException or MongoConfigurationException or ArgumentException)
        {
            await Console.Error.WriteLineAsync($"{Name}: {exception.Message}");
            return ExitCodes.Configuration;
        }

        var only = parsed.GetValue(s_only) is { Length: > 0 } names ? names : null;
        var report = await RunAsync(CheckCatalogue.All.Where(check => only?.Contains(check.Id, StringComparer.Ordinal) != false), stack, cancellationToken);
        if (parsed.GetValue(s_sarif))
        {
            await Console.Out.WriteLineAsync(Sarif.Of(report));
            return report.IsGood ? ExitCodes.Success : ExitCodes.Refused;
        }

        return JobReport.Print(
            report, parsed.GetValue(JobCommandLine.Json), (text, found) => SecurityText.Print(text, found, JobReport.HasColours), report.IsGood);
    }
}
