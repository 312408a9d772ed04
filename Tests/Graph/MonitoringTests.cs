using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Platform.Monitor.Alerting;
using Platform.Monitoring;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>Graphs of their own with the part <c>monitoring</c>: the page, faults that are made, and watchers that are killed one after the other.</summary>
[Collection(TestCollections.Cache)]
public sealed class MonitoringTests(ITestOutputHelper output)
{
    private const string Trouble = "TestTrouble";

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 280_000)]
    public Task Whichever_watcher_dies_somebody_is_told_and_a_dead_Prometheus_is_no_all_clear() => OnAsync(
        "monitoring", disk: null, alerts: [], async (stack, mail, webhook) =>
    {
        var url = (await stack.App.GetConnectionStringAsync(ResourceNames.Alertmanager, Cancel))!;
        FilesAreTheOwners(Path.Combine(stack.DataDirectory, "monitoring"));
        await NobodyAsksWithoutALoginAsync(url);
        await ChannelsAreTestedAsync(url, mail, webhook);
        await UntilAsync(() => webhook.Has(Trouble, "firing"), "the alert that always fires is told");
        await SilencesAsync(url);
        await MemberHangsAsync(stack, mail, webhook);
        await MonitorDiesAsync(stack, mail, webhook);
        await PrometheusDiesAsync(stack, url, mail, webhook);
        await AlertmanagerDiesAsync(stack, mail, webhook);
        Assert.False(webhook.Has(Trouble, "resolved"), "what always fires was said to be resolved");
    });

    [Fact(Timeout = 280_000)]
    public async Task The_page_shows_what_there_is_and_faults_that_are_made_are_told_and_told_to_be_over()
    {
        await using var disk = Environment.IsPrivilegedProcess ? await SmallDisk.MountAsync(1024, Cancel) : null;
        // No others: what a slow machine is told of would be on the page, too.
        await OnAsync("monitoring,backup", disk, [AlertNames.Watchdog, "MongoSlowOperations", "RedisDown", "DiskSpace"], async (stack, mail, webhook) =>
        {
            var page = new MonitoringPageCheck(stack, "Fires for the test.");
            await page.RunAsync();
            var faults = new MonitoringFaults(stack, mail, webhook, Tell);
            await faults.QueriesAreSlowAsync(page.QueriesAsync);
            await faults.RedisHangsAsync();
            if (disk is not null)
            {
                await faults.DiskFillsUpAsync(disk);
            }
        });
    }

    // A stack of its own that looks every second, with a member, and with these alerts, or all.
    private static async Task OnAsync(
        string parts, SmallDisk? disk, IReadOnlyCollection<string> alerts, Func<TestStack, MailSink, WebhookSink, Task> work)
    {
        foreach (var reason in (string?[])[ServerImage.WhyUnavailable(), MonitoringImage.WhyUnavailable()])
        {
            Assert.SkipWhen(reason is not null, reason ?? "");
        }

        var data = Directory.CreateTempSubdirectory("platform-test-");
        try
        {
            await using var mail = new MailSink();
            await using var webhook = new WebhookSink();
            var rules = Path.Combine(data.FullName, "rules.yml");
            var shipped = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "monitoring", "rules.yml"), Cancel);
            await File.WriteAllTextAsync(rules, Eager(shipped, alerts), Cancel);
            await using var stack = new TestStack(
                data.FullName, settings:
                [
                    $"--Platform:Parts={parts}", "--Platform:Mongo:Members=1", "--Platform:Monitoring:Interval=00:00:01",
                    $"--Platform:Monitoring:Rules={rules}",
                    $"--Monitor:Mail:Server=127.0.0.1:{mail.Port}", "--Monitor:Mail:From=alerts@platform.test", "--Monitor:Mail:To=ops@platform.test",
                    "--Monitor:Mail:RequireTls=false", $"--Monitor:Webhook:Url={webhook.Url}",
                    $"--Monitor:Directories:small={disk?.Path ?? data.FullName}",
                ]);
            await stack.StartAsync(Cancel);
            foreach (var name in (string[])[ResourceNames.Prometheus, ResourceNames.Alertmanager, ResourceNames.Monitor])
            {
                await stack.App.UntilHealthyAsync(name, s_limit, Cancel);
            }

            await work(stack, mail, webhook);
            await stack.App.StopAsync(Cancel);
        }
        finally
        {
            await TestStack.RemoveDataAsync(data.FullName);
        }
    }

    // The product's rules, all or some, none of which waits here, and a group with one that fires all the time.
    private static string Eager(string rules, IReadOnlyCollection<string> alerts)
    {
        const string Begin = "- alert: ";
        var isKept = true;
        var lines = new List<string>();
        foreach (var line in rules.Split('\n').Where(line => !line.TrimStart().StartsWith("for:", StringComparison.Ordinal)))
        {
            if (line.TrimStart().StartsWith(Begin, StringComparison.Ordinal))
            {
                isKept = alerts.Count == 0 || alerts.Contains(line.Split(Begin, 2)[1].Trim());
            }

            if (isKept)
            {
                lines.Add(line);
            }
        }

        Assert.Equal(alerts.Count, alerts.Count == 0 ? 0 : lines.Count(line => line.Contains(Begin, StringComparison.Ordinal)));
        var group = lines.First(line => line.TrimStart().StartsWith("- name:", StringComparison.Ordinal));
        var margin = group[..group.IndexOf('-', StringComparison.Ordinal)];
        string[] own =
        [
            "- name: test", "  rules:", $"    - alert: {Trouble}", "      expr: vector(1)", "      labels: { severity: critical }",
            "      annotations: { summary: Fires for the test. }",
        ];
        return string.Join('\n', [.. lines, .. own.Select(line => margin + line), ""]);
    }

    private static void FilesAreTheOwners(string directory)
    {
        var files = Directory.GetFiles(directory, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".yml" or ".password" or ".key" or ".json").ToList();
        Assert.True(files.Count >= 8, string.Join(", ", files));
        Assert.All(files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Mode(file)));

        static UnixFileMode Mode(string file) => OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(file);
    }

    private static async Task NobodyAsksWithoutALoginAsync(string url)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new UriBuilder(url) { UserName = "", Password = "", Path = "/api/v2/alerts" }.Uri, Cancel);
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    private static async Task ChannelsAreTestedAsync(string url, MailSink mail, WebhookSink webhook)
    {
        var good = await AlertsAsync(url, "test");
        Assert.True(good.ExitCode == 0, good.Output + good.Errors);
        Assert.Contains("mail      delivered", good.Output, StringComparison.Ordinal);
        Assert.Contains("webhook   delivered", good.Output, StringComparison.Ordinal);
        var id = Assert.Single(webhook.Alerts, alert => alert.Name == AlertNames.Test).Labels[AlertNames.TestLabel];
        Assert.Single(mail.Mails, text => text.Contains(id, StringComparison.Ordinal));

        mail.Refuses = true;
        var bad = await AlertsAsync(url, "test", "--wait", "10");
        mail.Refuses = false;
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("mail      NOT delivered", bad.Output, StringComparison.Ordinal);
        Assert.Contains("webhook   delivered", bad.Output, StringComparison.Ordinal);
        Assert.Matches("^alerts: the test [0-9a-f]{8} was not delivered by mail: ", bad.Sentence);
    }

    private static async Task SilencesAsync(string url)
    {
        var silenced = await AlertsAsync(url, "silence", "SomethingElse", "--for", "5m", "--comment", "for a test");
        Assert.True(silenced.ExitCode == 0, silenced.Errors);
        var list = await AlertsAsync(url, "list", "--json");
        // The alert that always fires is not silenced.
        Assert.Equal(2, list.ExitCode);
        var silence = Assert.Single(list.Json.GetProperty("silences").EnumerateArray());
        Assert.Equal("for a test", silence.GetProperty("comment").GetString());
        var ended = await AlertsAsync(url, "unsilence", silence.GetProperty("id").GetString()!);
        Assert.True(ended.ExitCode == 0, ended.Errors);
        Assert.Empty((await AlertsAsync(url, "list", "--json")).Json.GetProperty("silences").EnumerateArray());
    }

    private async Task MemberHangsAsync(TestStack stack, MailSink mail, WebhookSink webhook)
    {
        var gateway = MarkedProcesses.Find(TestStack.Mark, stack.DataDirectory)
            .Single(found => found.Value.StartsWith(BuiltProgram.Path("Gateway"), StringComparison.Ordinal)).Key;
        // While the stack started, it was not there yet.
        int told(string status) => webhook.Alerts.Count(alert => alert.Name == "MongoMemberDown" && alert.Status == status);
        await UntilAsync(() => told("resolved") == told("firing"), "the member counts as up");
        var (firing, resolved, mails, begun) = (told("firing"), told("resolved"), mail.Mails.Count, Stopwatch.GetTimestamp());
        Signal(gateway, "STOP");
        await UntilAsync(() => told("firing") > firing, "a member that hangs is told");
        Tell("a member hangs: told", begun);
        await UntilAsync(() => mail.Mails.Skip(mails).Any(text => text.Contains("MongoMemberDown", StringComparison.Ordinal)), "and by mail");
        Signal(gateway, "CONT");
        await UntilAsync(() => told("resolved") > resolved, "that it is back is told");
    }

    private static void Signal(int process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private async Task MonitorDiesAsync(TestStack stack, MailSink mail, WebhookSink webhook)
    {
        var (mails, begun) = (mail.Mails.Count, Stopwatch.GetTimestamp());
        var process = MarkedProcesses.Find(TestStack.Mark, stack.DataDirectory)
            .Single(found => found.Value.Contains("Platform.Monitor", StringComparison.Ordinal));
        Kill(process.Key);
        bool ofMonitor(PostedAlert alert, string status) => alert.Status == status && alert.Labels.GetValueOrDefault("job") == ResourceNames.Monitor;
        await UntilAsync(() => webhook.Alerts.Any(alert => ofMonitor(alert, "firing")), "the webhook is told of the monitor");
        await UntilAsync(() => mail.Mails.Skip(mails).Any(text => text.Contains("ScrapeMissing", StringComparison.Ordinal)), "a mail tells of the monitor");
        Tell("the monitor was killed: told", begun);
        await StartAsync(stack, ResourceNames.Monitor);
        await UntilAsync(() => webhook.Alerts.Any(alert => ofMonitor(alert, "resolved")), "the webhook is told that the monitor is back");
    }

    private async Task PrometheusDiesAsync(TestStack stack, string url, MailSink mail, WebhookSink webhook)
    {
        // It was silent, too, while the monitor was away.
        int told(string status) => webhook.Alerts.Count(alert => alert.Name == AlertNames.Silent && alert.Status == status);
        await UntilAsync(() => told("resolved") == told("firing"), "monitoring works before");
        var (firing, resolved, mails, begun) = (told("firing"), told("resolved"), mail.Mails.Count, Stopwatch.GetTimestamp());
        KillServer(stack, ResourceNames.Prometheus);
        await UntilAsync(() => told("firing") > firing, "the webhook is told that monitoring is silent");
        await UntilAsync(() => mail.Mails.Skip(mails).Any(text => text.Contains("Monitoring is silent since", StringComparison.Ordinal)), "a mail tells it");
        Tell("Prometheus was killed: told", begun);
        var text = webhook.Alerts.Last(alert => alert is { Name: AlertNames.Silent, Status: "firing" }).Annotations["description"];
        Assert.Contains("Prometheus does not answer", text, StringComparison.Ordinal);
        Assert.Contains("is no all-clear", text, StringComparison.Ordinal);
        Assert.Equal(Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy, HealthOf(stack, ResourceNames.Alertmanager));

        // The alert ends in Alertmanager, which has nobody who repeats it, and its group is looked at once more: at the latest after 20 intervals.
        using var alertmanager = new AlertmanagerClient(url, TimeSpan.FromSeconds(10));
        await UntilAsync(async () => (await alertmanager.AlertsAsync(Cancel)).All(alert => alert.Name != Trouble), "the alert has ended unrepeated");
        var ended = Stopwatch.GetTimestamp();
        await UntilAsync(() => Stopwatch.GetElapsedTime(ended) > TimeSpan.FromSeconds(22), "the group of the alert was looked at");
        Assert.False(webhook.Has(Trouble, "resolved"), "an alert that nobody evaluates was said to be resolved");

        await StartAsync(stack, ResourceNames.Prometheus);
        await UntilAsync(() => told("resolved") > resolved, "the webhook is told that monitoring works again");
        await UntilAsync(() => mail.Mails.Skip(mails).Any(text => text.Contains("Monitoring works again", StringComparison.Ordinal)), "a mail tells it");
    }

    private async Task AlertmanagerDiesAsync(TestStack stack, MailSink mail, WebhookSink webhook)
    {
        int told() => webhook.Alerts.Count(alert => alert is { Name: AlertNames.Silent, Status: "firing" });
        var (before, mails, begun) = (told(), mail.Mails.Count, Stopwatch.GetTimestamp());
        KillServer(stack, ResourceNames.Alertmanager);
        await UntilAsync(() => told() > before, "the webhook is told by the monitor itself");
        await UntilAsync(() => mail.Mails.Skip(mails).Any(text => text.Contains("Alertmanager does not answer", StringComparison.Ordinal)), "a mail tells it");
        Tell("Alertmanager was killed: told", begun);
        var works = webhook.Alerts.Count(alert => alert is { Name: AlertNames.Silent, Status: "resolved" });
        await StartAsync(stack, ResourceNames.Alertmanager);
        await UntilAsync(() => webhook.Alerts.Count(alert => alert is { Name: AlertNames.Silent, Status: "resolved" }) > works, "monitoring works again");
    }

    private static async Task StartAsync(TestStack stack, string name)
    {
        await UntilAsync(
            () => stack.App.ResourceNotifications.TryGetCurrentState(name, out var state)
                && KnownResourceStates.TerminalStates.Contains(state.Snapshot.State?.Text),
            $"{name} is said to have ended");
        var resource = stack.App.Services.GetRequiredService<DistributedApplicationModel>().Resources.Single(other => other.Name == name);
        var started = await stack.App.Services.GetRequiredService<ResourceCommandService>()
            .ExecuteCommandAsync(resource, KnownResourceCommands.StartCommand, Cancel);
        Assert.True(started.Success, started.Message);
        await stack.App.UntilHealthyAsync(name, s_limit, Cancel);
    }

    private static Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus? HealthOf(TestStack stack, string name) =>
        stack.App.ResourceNotifications.TryGetCurrentState(name, out var state) ? state.Snapshot.HealthStatus : null;

    // The program of the image has no mark of the stack; what runs it has its directory on the command line, and takes it along.
    private static void KillServer(TestStack stack, string name)
    {
        var home = Path.Combine(stack.DataDirectory, "monitoring", name);
        var processes = Directory.GetDirectories("/proc")
            .Where(process => int.TryParse(Path.GetFileName(process), out _) && CommandLine(process).Contains(home)).ToList();
        Assert.NotEmpty(processes);
        processes.ForEach(process => Kill(int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture)));
    }

    private static string[] CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Split('\0');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It went with one that was killed before.
        }
    }

    private static Task<ProgramResult> AlertsAsync(string url, params string[] arguments) => ProgramResult.OfAsync(
        new ProcessStartInfo(BuiltProgram.Path("Monitor"), ["alerts", .. arguments]) { Environment = { [SettingNames.MonitorAlertmanager] = url } }, Cancel);

    private static Task UntilAsync(Func<bool> isReached, string state) => Wait.UntilAsync(isReached, state, Cancel);

    private static Task UntilAsync(Func<Task<bool>> isReached, string state) => Wait.UntilAsync(isReached, state, Cancel);

    private void Tell(string what, long begun) => output.WriteLine($"{what} after {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s");
}
