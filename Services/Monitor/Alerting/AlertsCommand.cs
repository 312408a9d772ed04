using System.CommandLine;
using System.Globalization;
using Platform.Jobs;
using Platform.Monitor.Settings;

namespace Platform.Monitor.Alerting;

/// <summary>The command line of alerts: <c>./platform alerts</c>.</summary>
internal static class AlertsCommand
{
    private const string Name = "alerts";

    private static readonly TimeSpan s_longest = TimeSpan.FromDays(365);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    /// <summary>Makes it.</summary>
    public static Command Create() =>
        new(Name, "What fires, who is told, and whether that works.") { List(), Silence(), Unsilence(), Test() };

    private static Command List()
    {
        var command = new Command("list", "The alerts that fire, and the silences. Exit code 2 when one fires that nobody silenced.") { JobCommandLine.Json };
        command.SetAction((parsed, token) => RunAsync(async alertmanager =>
        {
            var report = new AlertsReport(
                [.. (await alertmanager.AlertsAsync(token)).Where(alert => !alert.IsOwn)], await alertmanager.SilencesAsync(token));
            return JobReport.Print(report, parsed.GetValue(JobCommandLine.Json), Print, report.Alerts.All(alert => !alert.IsTold));
        }));
        return command;
    }

    private static Command Silence()
    {
        var which = new Argument<string[]>("alert")
        {
            Description = "The alert's name, or what its labels have to be: label=value, label!=value, label=~regex, label!~regex.",
            Arity = ArgumentArity.OneOrMore,
        };
        var duration = new Option<TimeSpan>("--for")
        {
            Description = "How long, such as 30m, 2h or 1d. Default: 2h.", HelpName = "time", DefaultValueFactory = _ => TimeSpan.FromHours(2),
            CustomParser = result =>
            {
                if (Duration(result.Tokens[0].Value) is { } time && time > TimeSpan.Zero && time <= s_longest)
                {
                    return time;
                }

                result.AddError($"--for must be a time such as 30m, 2h or 1d, up to a year, not '{result.Tokens[0].Value}'.");
                return default;
            },
        };
        var comment = new Option<string>("--comment")
        {
            Description = "Why; others read it.", HelpName = "text", DefaultValueFactory = _ => "by ./platform alerts silence",
        };
        var command = new Command("silence", "Keeps alerts from being told for a time.") { which, duration, comment };
        command.Validators.Add(result =>
        {
            foreach (var word in result.GetValue(which) ?? [])
            {
                if (AlertMatcher.Parse(word) is null)
                {
                    result.AddError($"'{word}' is neither the name of an alert nor label=value, label!=value, label=~regex or label!~regex.");
                }
            }
        });
        command.SetAction((parsed, token) => RunAsync(async alertmanager =>
        {
            AlertMatcher[] matchers = [.. parsed.GetValue(which)!.Select(word => AlertMatcher.Parse(word)!)];
            var now = TimeProvider.System.GetUtcNow();
            var until = now + parsed.GetValue(duration);
            var id = await alertmanager.SilenceAsync(matchers, now, until, Environment.UserName, parsed.GetValue(comment)!, token);
            var fits = (await alertmanager.AlertsAsync(token)).Count(alert => !alert.IsOwn && alert.SilencedBy.Contains(id));
            await Console.Out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{string.Join(", ", matchers.Select(matcher => matcher.ToString()))} is silenced until {until:yyyy-MM-dd HH:mm} UTC: {id}. "
                    + $"{(fits == 1 ? "1 alert that fires is" : $"{fits} alerts that fire are")} not told now."));
            return ExitCodes.Success;
        }));
        return command.Audited(AlertEvents.Silence);
    }

    private static Command Unsilence()
    {
        var id = new Argument<Guid>("id")
        {
            Description = "The silence's id, as list prints it.",
            CustomParser = result =>
            {
                if (Guid.TryParse(result.Tokens[0].Value, out var parsed))
                {
                    return parsed;
                }

                result.AddError($"'{result.Tokens[0].Value}' is no silence's id; 'list' shows those that hold.");
                return default;
            },
        };
        var command = new Command("unsilence", "Ends a silence.") { id };
        command.SetAction((parsed, token) => RunAsync(async alertmanager =>
        {
            var silence = parsed.GetValue(id);
            if (await alertmanager.UnsilenceAsync(silence, token))
            {
                await Console.Out.WriteLineAsync($"The silence {silence} is ended.");
                return ExitCodes.Success;
            }

            await Console.Error.WriteLineAsync($"{Name}: there is no silence {silence}: 'list' shows those that hold.");
            return ExitCodes.Refused;
        }));
        return command.Audited(AlertEvents.Unsilence);
    }

    private static Command Test()
    {
        var patience = JobCommandLine.WholeNumber("--wait", "seconds", "How long to wait for what is not delivered. Default: 30.", 30, 1, 600);
        var command = new Command("test", "Sends a marked alert by every channel, and says which arrived. Exit code 1 when one did not.")
        {
            patience, JobCommandLine.Json,
        };
        command.SetAction((parsed, token) => RunAsync(async alertmanager =>
        {
            var channels = await alertmanager.ChannelsAsync(token);
            if (channels.Count == 0)
            {
                await Console.Error.WriteLineAsync(
                    $"{Name}: no channel is set, so that nobody is told of alerts: Monitor:Mail, Monitor:Webhook, Monitor:Slack and Monitor:Teams are the "
                        + "settings.");
                return ExitCodes.Failure;
            }

            var id = Guid.NewGuid().ToString("N")[..8];
            var results = await new ChannelTest(alertmanager, TimeProvider.System)
                .RunAsync(channels, id, TimeSpan.FromSeconds(parsed.GetValue(patience)), token);
            JobReport.Print(new TestReport(id, results), parsed.GetValue(JobCommandLine.Json), Print, isGood: true);
            var lost = results.Where(result => !result.Delivered).ToList();
            if (lost.Count == 0)
            {
                return ExitCodes.Success;
            }

            await Console.Error.WriteLineAsync(
                $"{Name}: the test {id} was not delivered by {string.Join(", ", lost.Select(result => result.Channel))}: "
                    + "what Alertmanager says of it, './platform logs alertmanager' shows.");
            return ExitCodes.Failure;
        }));
        return command.Audited("alertsTest");
    }

    private static async Task<int> RunAsync(Func<AlertmanagerClient, Task<int>> work)
    {
        if (Environment.GetEnvironmentVariable(SettingNames.MonitorAlertmanager) is not { Length: > 0 } url)
        {
            await Console.Error.WriteLineAsync(
                $"{Name}: there is no Alertmanager: {SettingNames.MonitorAlertmanager} is not set. './platform run --with monitoring' has one.");
            return ExitCodes.Configuration;
        }

        if (!ServerUrl.IsValid(url))
        {
            await Console.Error.WriteLineAsync($"{Name}: {SettingNames.MonitorAlertmanager} must be a URL such as http://user:password@127.0.0.1:9093.");
            return ExitCodes.Configuration;
        }

        using var alertmanager = new AlertmanagerClient(url, s_timeout);
        try
        {
            return await work(alertmanager);
        }
        catch (HttpRequestException exception) when (exception.StatusCode is { } status)
        {
            await Console.Error.WriteLineAsync($"{Name}: Alertmanager refuses that: {(int)status} ({status}).");
            return ExitCodes.Failure;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            await Console.Error.WriteLineAsync($"{Name}: Alertmanager does not answer: {exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}.");
            return ExitCodes.Unavailable;
        }
    }

    private static void Print(TextWriter writer, AlertsReport report)
    {
        if (report.Alerts.Count == 0)
        {
            writer.WriteLine("No alert fires.");
        }

        foreach (var alert in report.Alerts)
        {
            var labels = string.Join(' ', alert.Labels.Select(label => $"{label.Key}={Printable.Of(label.Value)}"));
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{alert.Since:yyyy-MM-dd HH:mm:ss}  {alert.Severity,-8}  {alert.Name}{(alert.IsTold ? "" : " (not told)")}  {labels}"));
            if (alert.Summary.Length > 0)
            {
                writer.WriteLine($"    {Printable.Of(alert.Summary)}");
            }
        }

        foreach (var silence in report.Silences)
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"silence {silence.Id}  until {silence.Until:yyyy-MM-dd HH:mm:ss}  {string.Join(", ", silence.Matchers)}  "
                    + $"by {Printable.Of(silence.Author)}: {Printable.Of(silence.Comment)}"));
        }
    }

    private static void Print(TextWriter writer, TestReport report)
    {
        foreach (var result in report.Results)
        {
            var attempts = result.Attempts == 1 ? "1 attempt" : string.Create(CultureInfo.InvariantCulture, $"{result.Attempts} attempts");
            writer.WriteLine($"{result.Channel,-8}  {(result.Delivered ? "delivered" : "NOT delivered")} ({attempts})");
        }
    }

    private static TimeSpan? Duration(string text) =>
        text.Length >= 2 && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number < 1e6
            ? text[^1] switch
            {
                's' => TimeSpan.FromSeconds(number), 'm' => TimeSpan.FromMinutes(number), 'h' => TimeSpan.FromHours(number), 'd' => TimeSpan.FromDays(number),
                _ => null,
            }
            : null;
}

/// <summary>What <c>list</c> says.</summary>
internal sealed record AlertsReport(IReadOnlyList<FiringAlert> Alerts, IReadOnlyList<AlertSilence> Silences);

/// <summary>What <c>test</c> says.</summary>
/// <param name="Id">What marks the messages.</param>
/// <param name="Results">What became of them.</param>
internal sealed record TestReport(string Id, IReadOnlyList<ChannelResult> Results);
