using System.CommandLine;
using Platform.Audit;
using Platform.Jobs;

namespace Platform.AuditTool;

/// <summary>The command line of the audit log.</summary>
internal static class AuditCommands
{
    private const string Name = "audit";
    private static readonly TimeSpan s_followPause = TimeSpan.FromMilliseconds(250);

    private static readonly Option<string> s_directory = new("--directory")
    {
        Description = "The log; default: Audit__Directory. With a copy of it, --keys is needed, too.", HelpName = "DIRECTORY",
    };

    private static readonly Option<string> s_keys = new("--keys") { Description = "Its keys; default: Audit__KeyDirectory.", HelpName = "DIRECTORY" };
    private static readonly Option<string> s_member = new("--member")
    {
        Description = "Only what this one wrote, such as mongo-1 or commands.", HelpName = "NAME",
    };

    private static readonly Option<string> s_user = new("--user") { Description = "Who was logged in, or was to be, or whom it is about.", HelpName = "NAME" };

    private static readonly Option<string> s_type = new("--type")
    {
        Description = "Kinds of events, such as authenticate, authCheck, createUser; several with commas.", HelpName = "TYPE,...",
    };

    private static readonly Option<string> s_since = Moment("--since", "From then on: 2026-11-30T08:00:00Z, a day, or how long ago: 30m, 2h, 7d.");
    private static readonly Option<string> s_until = Moment("--until", "Until then.");
    private static readonly Option<bool> s_failed = new("--failed") { Description = "Only what was refused or failed." };

    private static readonly Option<string> s_remote = new("--remote")
    {
        Description = "From this address, or a range such as 10.0.0.0/8.",
        HelpName = "ADDRESS",
        Validators =
        {
            result =>
            {
                if (result.GetValueOrDefault<string>() is { } text && AuditFilter.Network(text) is null)
                {
                    result.AddError($"'{text}' is neither an IP address nor a range such as 10.0.0.0/8.");
                }
            },
        },
    };

    public static Command Create()
    {
        var root = JobCommandLine.Create(Name, """
            The audit log: who logged in, was refused, changed users, rights and structure, or ran a command of the platform.

            Exit codes: 0 done, 1 failed, 2 the log is not as it was written, 64 wrong command line, 78 wrong setting, 130 interrupted.
            Settings: Audit__Directory and Audit__KeyDirectory; ./platform audit has those of the stack.
            """);
        root.Subcommands.Add(Verify());
        root.Subcommands.Add(Tail());
        root.Subcommands.Add(Find());
        return root;
    }

    private static Command Verify()
    {
        var command = new Command(
            "verify", "Find lines that were changed, removed, added or moved, and say where. Exits with 2 when there are any, or nobody can say.")
        {
            s_directory, s_keys, s_member, JobCommandLine.Json,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, settings =>
        {
            var json = parsed.GetValue(JobCommandLine.Json);
            var text = AuditText.Console();
            var good = true;
            var reports = new List<AuditVerification>();
            foreach (var writer in Writers(settings, parsed))
            {
                var verification = AuditVerifier.Verify(settings, writer, cancellationToken);
                good &= verification.FindingCount == 0;
                if (json)
                {
                    reports.Add(verification);
                }
                else
                {
                    text.Print(verification);
                }
            }

            if (json)
            {
                Console.Out.WriteLine(JobReport.Json(new { good, logs = reports }));
            }

            return Task.FromResult(good ? ExitCodes.Success : ExitCodes.Refused);
        }));
        return command;
    }

    private static Command Find()
    {
        var command = new Command("find", "Print the records that are asked for, in the order of time, as text or as they stand in the log.")
        {
            s_directory, s_keys, s_member, s_user, s_type, s_since, s_until, s_remote, s_failed, JobCommandLine.Json,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, async settings =>
        {
            var filter = Filter(parsed);
            var print = Printer(parsed);
            var unreadable = 0L;
            using var logs = new MergedLogs(settings, Writers(settings, parsed));
            while (logs.TryRead(out var entry))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (entry.Record is null)
                {
                    unreadable++;
                }
                else if (filter.Asks(entry.Record))
                {
                    print(entry);
                }
            }

            if (unreadable > 0)
            {
                await Console.Error.WriteLineAsync($"{Name}: {unreadable} lines cannot be read; '{Name} verify' says which.");
            }

            return unreadable == 0 ? ExitCodes.Success : ExitCodes.Refused;
        }));
        return command;
    }

    private static Command Tail()
    {
        var count = JobCommandLine.WholeNumber("--lines", "COUNT", "How many of the latest records to begin with.", 20, 0, 100_000);
        var once = new Option<bool>("--no-follow") { Description = "End after them, instead of waiting for more until Ctrl-C." };
        var command = new Command("tail", "Print the latest records, and those that come.")
        {
            s_directory, s_keys, s_member, s_user, s_type, s_remote, s_failed, count, once, JobCommandLine.Json,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, async settings =>
        {
            var filter = Filter(parsed);
            var print = Printer(parsed);
            var (latest, most) = (new Queue<AuditEntry>(), parsed.GetValue(count));
            using var logs = new MergedLogs(settings, Writers(settings, parsed), latestFiles: 2);
            while (logs.TryRead(out var entry))
            {
                if (entry.Record is not null && !filter.Asks(entry.Record))
                {
                    continue;
                }

                latest.Enqueue(entry);
                if (latest.Count > most)
                {
                    latest.Dequeue();
                }
            }

            foreach (var entry in latest)
            {
                print(entry);
            }

            try
            {
                while (!parsed.GetValue(once))
                {
                    await Task.Delay(s_followPause, cancellationToken);
                    logs.Add(Writers(settings, parsed));
                    while (logs.TryRead(out var entry))
                    {
                        if (entry.Record is null || filter.Asks(entry.Record))
                        {
                            print(entry);
                        }
                    }
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // That is how it ends.
            }

            return ExitCodes.Success;
        }));
        return command;
    }

    private static Option<string> Moment(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "MOMENT",
        Validators =
        {
            result =>
            {
                if (result.GetValueOrDefault<string>() is { } text && AuditFilter.Moment(text, TimeProvider.System.GetUtcNow()) is null)
                {
                    result.AddError($"'{text}' is no moment such as 2026-11-30T08:00:00Z, 2026-11-30, 30m, 2h or 7d.");
                }
            },
        },
    };

    private static AuditFilter Filter(ParseResult parsed)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new AuditFilter
        {
            User = parsed.GetValue(s_user),
            Types = parsed.GetValue(s_type)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
            Since = Given(s_since) is { } since ? AuditFilter.Moment(since, now) : null,
            Until = Given(s_until) is { } until ? AuditFilter.Moment(until, now) : null,
            Remote = parsed.GetValue(s_remote) is { } remote ? AuditFilter.Network(remote) : null,
            Failed = parsed.GetValue(s_failed),
        };

        // tail has neither.
        string? Given(Option<string> option) => parsed.CommandResult.Command.Options.Contains(option) ? parsed.GetValue(option) : null;
    }

    private static Action<AuditEntry> Printer(ParseResult parsed)
    {
        if (!parsed.GetValue(JobCommandLine.Json))
        {
            return AuditText.Console().Print;
        }

        // What is unreadable is no JSON.
        return static entry =>
        {
            if (entry.Record is { } record)
            {
                Console.Out.WriteLine(record.Json);
            }
        };
    }

    private static IReadOnlyList<string> Writers(AuditSettings settings, ParseResult parsed) =>
        parsed.GetValue(s_member) is { } member ? [member] : AuditVerifier.Writers(settings);

    private static async Task<int> RunAsync(ParseResult parsed, Func<AuditSettings, Task<int>> work)
    {
        var settings = JobAudit.Settings(out var mistakes);
        (settings.Directory, settings.KeyDirectory) = (
            parsed.GetValue(s_directory) is { } directory ? Path.GetFullPath(directory) : settings.Directory,
            parsed.GetValue(s_keys) is { } keys ? Path.GetFullPath(keys) : settings.KeyDirectory);
        var problem = (mistakes is [var mistake, ..] ? mistake : null) ?? settings.Mistakes(SettingNames.Audit).FirstOrDefault()
            ?? (settings.IsOn ? null : $"There is no audit log: {SettingNames.Audit}__{nameof(AuditSettings.Directory)} is not set.");
        if (problem is not null)
        {
            await Console.Error.WriteLineAsync($"{Name}: {problem}");
            return ExitCodes.Configuration;
        }

        try
        {
            if (!Writers(settings, parsed).Any(AuditVerifier.Writers(settings).Contains))
            {
                var what = parsed.GetValue(s_member) is { } member ? $"no audit log of '{Printable.Of(member)}'" : "no audit log";
                await Console.Error.WriteLineAsync($"{Name}: There is {what} in {settings.Directory}.");
                return ExitCodes.Failure;
            }

            return await work(settings);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Cancelled;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or AuditUnavailableException)
        {
            await Console.Error.WriteLineAsync($"{Name}: {exception.Message.ReplaceLineEndings(" ")}");
            return ExitCodes.Failure;
        }
    }
}
