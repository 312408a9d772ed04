using System.Diagnostics;
using Platform.Monitor.Rules;
using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

/// <summary>The rules of the alerts: what is written from them, and that each fires when it should and is silent when it should be.</summary>
public sealed class AlertCatalogueTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_rule_has_a_name_of_its_own_and_a_case_of_each_kind()
    {
        Assert.Equal(AlertCatalogue.All.Count, AlertCatalogue.All.Select(rule => rule.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.All(AlertCatalogue.All, rule => Assert.Contains(rule.Cases, one => one.Fires.Count > 0));
        // The sign of life never stops.
        Assert.All(AlertCatalogue.All.Where(rule => rule.Severity != AlertSeverity.None), rule => Assert.Contains(rule.Cases, one => one.Fires.Count == 0));
    }

    [Fact]
    public void The_page_and_the_file_of_rules_are_those_of_the_catalogue()
    {
        GeneratedPage.CheckPart("alerts.md", "the catalogue of alerts", RuleFiles.Page());
        GeneratedPage.Check(Path.Combine("..", "deploy", "monitoring", "rules.yml"), RuleFiles.Rules());
    }

    [Fact]
    public async Task Every_rule_fires_and_is_silent_as_its_cases_say()
    {
        var reason = MonitoringImage.WhyUnavailable();
        Assert.SkipWhen(reason is not null, reason ?? "");
        var directory = Directory.CreateTempSubdirectory("rules-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "rules.yml"), RuleFiles.Rules(), Cancel);
            foreach (var takeHours in (bool[])[false, true])
            {
                await File.WriteAllTextAsync(
                    Path.Combine(directory.FullName, takeHours ? "hours.yml" : "tests.yml"), RuleFiles.Tests("rules.yml", takeHours), Cancel);
            }

            var check = await PromtoolAsync("check", "rules", "rules.yml");
            Assert.Contains($"{AlertCatalogue.All.Count} rules found", check, StringComparison.Ordinal);
            Assert.Contains("SUCCESS", await PromtoolAsync("test", "rules", "tests.yml", "hours.yml"), StringComparison.Ordinal);

            // And would say so if one did not: a rule that never holds.
            var broken = RuleFiles.Rules().Replace(" == 0\"", " == 7\"", StringComparison.Ordinal);
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "rules.yml"), broken, Cancel);
            var result = await RunAsync("test", "rules", "tests.yml");
            Assert.NotEqual(0, result.ExitCode);
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        async Task<string> PromtoolAsync(params string[] arguments)
        {
            var result = await RunAsync(arguments);
            return result.Expect(0).Output + result.Errors;
        }

        Task<ProgramResult> RunAsync(params string[] arguments) => ProgramResult.OfAsync(
            new ProcessStartInfo(ServerImage.Script("in-image"), MonitoringImage.Arguments(directory.FullName, ["promtool", .. arguments])), Cancel);
    }
}
