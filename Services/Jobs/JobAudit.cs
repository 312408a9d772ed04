using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Platform.Audit;

namespace Platform.Jobs;

/// <summary>Lets the audit log have what the platform's own commands do, and what is done by the monitor's page.</summary>
public static class JobAudit
{
    /// <summary>Who writes the log of the commands: one after the other, since each process holds it for the moment of a line.</summary>
    public const string Writer = "commands";

    /// <summary>The state of a command that begins, in its record.</summary>
    public const string Started = "started";

    /// <summary>The state of a command that has ended, in its record; <c>result</c> is its exit code.</summary>
    public const string Ended = "ended";

    // Others hold the log for some milliseconds.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Records that a command begins, and how it ends, where the settings say where to (<c>Audit__Directory</c>). What cannot be recorded is not begun.
    /// </summary>
    /// <param name="command">The command, with its action.</param>
    /// <param name="type">The kind of event: <c>atype</c>.</param>
    /// <returns>The same command.</returns>
    public static Command Audited(this Command command, string type)
    {
        ArgumentNullException.ThrowIfNull(command);
        var action = command.Action as AsynchronousCommandLineAction
            ?? throw new ArgumentException($"The command '{command.Name}' has no action that could be recorded.", nameof(command));
        command.SetAction((result, cancellationToken) => RunAsync(type, action, result, cancellationToken));
        return command;
    }

    /// <summary>The settings of the log: the section <c>Audit</c> of the environment.</summary>
    /// <param name="mistakes">What is wrong with them: a sentence for each key.</param>
    public static AuditSettings Settings(out IReadOnlyList<string> mistakes)
    {
        var section = new ConfigurationBuilder().AddEnvironmentVariables().Build().GetSection(SettingNames.Audit);
        var settings = new AuditSettings();
        mistakes = [.. SettingKeys.Mistakes(section, SettingNames.Audit, typeof(AuditSettings))];
        if (mistakes.Count == 0)
        {
            section.Bind(settings);
            mistakes = [.. SettingLimits.Mistakes(SettingNames.Audit, settings), .. settings.Mistakes(SettingNames.Audit)];
        }

        return settings;
    }

    /// <summary>Records that something begins, or has ended.</summary>
    /// <param name="settings">Where to; on.</param>
    /// <param name="type">The kind of event: <c>atype</c>.</param>
    /// <param name="user">Who has it done, and what knows that one.</param>
    /// <param name="command">What is done.</param>
    /// <param name="arguments">With which particulars.</param>
    /// <param name="state"><see cref="Started"/> or <see cref="Ended"/>.</param>
    /// <param name="result">How it ended: 0 for well.</param>
    /// <returns>What was found of the log as it was left, a sentence each.</returns>
    /// <exception cref="AuditUnavailableException">It cannot be recorded.</exception>
    public static async Task<IReadOnlyList<string>> RecordAsync(
        AuditSettings settings, string type, (string Name, string Source) user, string command, IEnumerable<string> arguments, string state, int result)
    {
        await using var log = await AuditLog.OpenAsync(settings, Writer, s_patience, TimeProvider.System, CancellationToken.None);
        await log.WriteAsync(
            new AuditEvent(type, TimeProvider.System.GetUtcNow())
            {
                Users = [user],
                Param = new JsonObject
                {
                    ["command"] = command,
                    ["arguments"] = new JsonArray([.. arguments.Select(argument => (JsonNode)argument)]),
                    ["process"] = Environment.ProcessId,
                    ["state"] = state,
                },
                Result = result,
            },
            toDisk: true);
        return log.Found;
    }

    private static async Task<int> RunAsync(string type, AsynchronousCommandLineAction action, ParseResult result, CancellationToken cancellationToken)
    {
        var name = JobCommandLine.Path(result.CommandResult);
        var settings = Settings(out var mistakes);
        if (mistakes is [var mistake, ..])
        {
            await Console.Error.WriteLineAsync($"{name}: {mistake}");
            return ExitCodes.Configuration;
        }

        if (!settings.IsOn)
        {
            return await action.InvokeAsync(result, cancellationToken);
        }

        if (!await TryRecordAsync(Started, 0))
        {
            return ExitCodes.CannotCreate;
        }

        var exitCode = await action.InvokeAsync(result, cancellationToken);
        // Also when it was cancelled: it may have done something.
        return await TryRecordAsync(Ended, exitCode) || exitCode != ExitCodes.Success ? exitCode : ExitCodes.CannotCreate;

        async Task<bool> TryRecordAsync(string state, int code)
        {
            try
            {
                var arguments = result.Tokens.Where(token => token.Type != TokenType.Command).Select(token => token.Value);
                foreach (var found in await RecordAsync(settings, type, (Environment.UserName, "$os"), name, arguments, state, code))
                {
                    await Console.Error.WriteLineAsync($"{name}: {found}");
                }

                return true;
            }
            catch (AuditUnavailableException exception)
            {
                await Console.Error.WriteLineAsync($"{name}: {exception.Message.ReplaceLineEndings(" ")}");
                return false;
            }
        }
    }
}
