using System.Diagnostics;
using System.Text.Json.Nodes;
using Platform.AppHost.Monitoring;
using Platform.AppHost.Settings;
using Platform.Monitoring;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

/// <summary>What the graph writes for Prometheus and Alertmanager, judged by their own tools.</summary>
public sealed class MonitoringConfigurationTests : IDisposable
{
    private static readonly MonitoringTimes s_times = new(MonitoringTimes.Usual);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("monitoring-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("Watchdog", "heartbeat")]
    [InlineData("MongoMemberDown", "people")]
    [InlineData("MonitoringSilent", "nobody")]
    [InlineData("ChannelTest channel=mail", "test-mail")]
    [InlineData("ChannelTest channel=webhook", "test-webhook")]
    [InlineData("ChannelTest channel=slack", "test-slack")]
    [InlineData("ChannelTest channel=teams", "test-teams")]
    public async Task An_alert_goes_where_it_belongs(string alert, string receiver)
    {
        Write(AllChannels());
        var result = await RunAsync(
            ["amtool", "config", "routes", "test", $"--config.file={AlertmanagerConfiguration.File}", .. $"alertname={alert}".Split(' ')]);
        Assert.Equal((0, receiver), (result.ExitCode, result.Output.Trim()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Amtool_takes_the_configuration(bool channels)
    {
        Write(channels ? AllChannels() : new ChannelSettings());
        var result = await RunAsync(["amtool", "check-config", AlertmanagerConfiguration.File]);
        Assert.True(result.ExitCode == 0, result.Output + result.Errors);
    }

    [Fact]
    public async Task Promtool_takes_the_configuration()
    {
        foreach (var (file, text) in ((string, string)[])
            [
                (PrometheusConfiguration.File, PrometheusConfiguration.Create(
                    s_times, [new(ResourceNames.Monitor), new(ResourceNames.Prometheus, HasLogin: true)]).ToJsonString()),
                (PrometheusConfiguration.RulesFile, File.ReadAllText(Path.Combine(Repository.Root, "deploy", "monitoring", "rules.yml"))),
                (PrometheusConfiguration.PasswordOf(ResourceNames.Prometheus), "secret"),
                (PrometheusConfiguration.PasswordOf(ResourceNames.Alertmanager), "secret"),
                (PrometheusConfiguration.TargetsOf(ResourceNames.Monitor), PrometheusConfiguration.Targets("127.0.0.1:1").ToJsonString()),
                (PrometheusConfiguration.TargetsOf(ResourceNames.Prometheus), PrometheusConfiguration.Targets("127.0.0.1:2").ToJsonString()),
                (PrometheusConfiguration.TargetsOf(ResourceNames.Alertmanager), PrometheusConfiguration.Targets("127.0.0.1:3").ToJsonString()),
                (WebLogin.File, WebLogin.Create("platform", "secret").ToJsonString()),
            ])
        {
            var path = Path.Combine(_directory.FullName, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        }

        var result = await RunAsync(["promtool", "check", "config", PrometheusConfiguration.File]);
        Assert.True(result.ExitCode == 0, result.Output + result.Errors);
        var login = await RunAsync(["promtool", "check", "web-config", WebLogin.File]);
        Assert.True(login.ExitCode == 0, login.Output + login.Errors);
    }

    [Fact]
    public void What_merely_ends_while_monitoring_is_silent_is_not_told_as_resolved()
    {
        var rules = AlertmanagerConfiguration.Create(s_times, AllChannels(), "http://127.0.0.1:1/heartbeat")["inhibit_rules"]!.AsArray();
        Assert.Contains(
            rules,
            rule => rule!["source_matchers"]![0]!.GetValue<string>() == "alertname=\"MonitoringSilent\""
                && rule["target_matchers"]![0]!.GetValue<string>() == "alertname!~\"MonitoringSilent|Watchdog|ChannelTest\"");
        // The monitor finds out in time: two questions, and the one that is under way, before the first alert can end.
        Assert.True(s_times.Probe * 3 < s_times.Resend * 3);
        // And somebody is told within two minutes, whichever of them ends.
        Assert.True(s_times.Silence + (s_times.Interval * 2) + s_times.Probe <= TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void No_secret_is_in_the_configuration()
    {
        var file = Path.Combine(_directory.FullName, "secret");
        File.WriteAllText(file, "https://hooks.example/T0/B0/topsecret");
        var channels = AllChannels();
        (channels.Mail.User, channels.Mail.PasswordFile) = ("me", file);
        channels.Slack = new() { UrlFile = file };
        Assert.Empty(channels.Problems());
        var text = AlertmanagerConfiguration.Create(s_times, channels, "http://127.0.0.1:1/heartbeat").ToJsonString();
        Assert.DoesNotContain("topsecret", text, StringComparison.Ordinal);
        Assert.Contains("/run/mail.secret", text, StringComparison.Ordinal);
        Assert.Contains("/run/slack.secret", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "mail.example.org",
        "Monitor:Mail:Server is 'mail.example.org', but must be the host and the port of an SMTP server, such as mail.example.org:587.")]
    [InlineData("", null)]
    public void A_wrong_channel_is_one_sentence(string server, string? sentence)
    {
        var channels = new ChannelSettings { Mail = { Server = server, From = "a@b.c", To = "d@e.f" } };
        Assert.Equal(sentence, channels.Problems().SingleOrDefault());
    }

    private static ChannelSettings AllChannels() => new()
    {
        Mail = { Server = "127.0.0.1:25", From = "alerts@platform.test", To = "ops@platform.test", RequireTls = false },
        Webhook = { Url = "http://127.0.0.1:1/alerts" },
        Slack = { Url = "http://127.0.0.1:1/slack" },
        Teams = { Url = "http://127.0.0.1:1/teams" },
    };

    private void Write(ChannelSettings channels)
    {
        JsonNode configuration = AlertmanagerConfiguration.Create(s_times, channels, "http://127.0.0.1:1/heartbeat");
        File.WriteAllText(Path.Combine(_directory.FullName, AlertmanagerConfiguration.File), configuration.ToJsonString());
        File.WriteAllText(Path.Combine(_directory.FullName, AlertmanagerConfiguration.HeartbeatKeyFile), "key");
    }

    private Task<ProgramResult> RunAsync(IEnumerable<string> program)
    {
        var reason = MonitoringImage.WhyUnavailable();
        Assert.SkipWhen(reason is not null, reason ?? "");
        return ProgramResult.OfAsync(
            new ProcessStartInfo(ServerImage.Script("in-image"), MonitoringImage.Arguments(_directory.FullName, program)),
            TestContext.Current.CancellationToken);
    }
}
