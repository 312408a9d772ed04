using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Platform.Monitor.Collectors;
using Platform.Monitor.Panels;
using Platform.Monitor.Prometheus;
using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

/// <summary>The charts and tiles: what they ask, and what is made of the answers.</summary>
public sealed partial class PanelTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static IEnumerable<string> Expressions =>
        PanelCatalogue.Sections.SelectMany(section => section.Panels).SelectMany(panel => panel.Queries).Select(query => query.Expression)
            .Concat(PanelCatalogue.Tiles.Select(tile => tile.Expression));

    [Fact]
    public void Ids_are_unique_as_the_page_finds_by_them()
    {
        var ids = PanelCatalogue.Sections.SelectMany(section => section.Panels.Select(panel => panel.Id)).ToList();
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        var sections = PanelCatalogue.Sections.Select(section => section.Id).Append("overview").Append("alerts").ToList();
        Assert.Equal(sections.Count, sections.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void What_collectors_find_is_asked_by_names_that_there_are()
    {
        var known = MetricCatalogue.All.Select(metric => metric.PrometheusName).ToHashSet(StringComparer.Ordinal);
        // What services measure has names of other meters, and labels with the service.
        var names = Expressions.SelectMany(expression => OfMonitor().Matches(expression)).Select(match => match.Value).ToList();
        Assert.True(names.Count > 20);
        Assert.All(names, name => Assert.Contains(name, known));
    }

    [Fact]
    public async Task Prometheus_understands_every_question()
    {
        var reason = MonitoringImage.WhyUnavailable();
        Assert.SkipWhen(reason is not null, reason ?? "");
        var directory = Directory.CreateTempSubdirectory("panels-");
        try
        {
            var rules = new JsonArray([.. Expressions.Index().Select(expression => new JsonObject
            {
                ["record"] = $"panel:{expression.Index}",
                ["expr"] = expression.Item.Replace(PanelCatalogue.Window, "60s", StringComparison.Ordinal),
            })]);
            var groups = new JsonObject { ["groups"] = new JsonArray(new JsonObject { ["name"] = "panels", ["rules"] = rules }) };
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "rules.yml"), groups.ToJsonString(), Cancel);
            var start = new ProcessStartInfo(
                ServerImage.Script("in-image"), MonitoringImage.Arguments(directory.FullName, ["promtool", "check", "rules", "rules.yml"]));
            var result = await ProgramResult.OfAsync(start, Cancel);
            Assert.True(result.ExitCode == 0, result.Output + result.Errors);
            Assert.Contains($"{Expressions.Count()} rules found", result.Output + result.Errors, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_dashboard_for_Grafana_is_that_of_the_catalogue()
    {
        var dashboard = GrafanaDashboard.Create();
        GeneratedPage.Check(Path.Combine("..", "deploy", "grafana", "platform.json"), dashboard);
        var panels = JsonNode.Parse(dashboard)!["panels"]!.AsArray();
        Assert.Equal(panels.Count, panels.Select(panel => panel!["id"]!.GetValue<int>()).Distinct().Count());
        // None lies on another one.
        var places = panels.Select(panel => panel!["gridPos"]!).SelectMany(at =>
            from x in Enumerable.Range(at["x"]!.GetValue<int>(), at["w"]!.GetValue<int>())
            from y in Enumerable.Range(at["y"]!.GetValue<int>(), at["h"]!.GetValue<int>())
            select (x, y)).ToList();
        Assert.Equal(places.Count, places.Distinct().Count());
        Assert.DoesNotContain(PanelCatalogue.Window + "]", dashboard, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(15, 15, 15, 61)]
    [InlineData(15 * 60, 15, 15, 61)]
    [InlineData(60 * 60, 1, 11, 328)]
    [InlineData(7 * 24 * 60 * 60, 15, 1685, 359)]
    public void A_grid_has_no_more_points_than_a_chart_has_room_for(int range, int interval, int step, int points)
    {
        range = range == 15 ? 15 * 60 : range;
        var now = DateTimeOffset.FromUnixTimeSeconds(1_764_489_607);
        var grid = TimeGrid.Of(TimeSpan.FromSeconds(range), TimeSpan.FromSeconds(interval), now);
        Assert.Equal((step, points), (grid.Step, grid.Count));
        Assert.Equal(points, grid.Points().Length);
        Assert.Equal((grid.Start, grid.End), (grid.Points()[0], grid.Points()[^1]));
        Assert.True(grid.End <= now.ToUnixTimeSeconds() && now.ToUnixTimeSeconds() - grid.End < grid.Step);
        Assert.True(grid.Count <= TimeGrid.MaxPoints);
        // A little later, the points are where they were.
        Assert.Equal(0, TimeGrid.Of(TimeSpan.FromSeconds(range), TimeSpan.FromSeconds(interval), now.AddSeconds(step)).Start - grid.Start - grid.Step);
    }

    [Fact]
    public void Values_come_to_their_points_and_what_is_missing_stays_missing()
    {
        using var answer = System.Text.Json.JsonDocument.Parse(
            """{ "metric": { "member": "a:1" }, "values": [[100, "1"], [110.0, "NaN"], [120, "+Inf"], [130, "4.5e-3"], [135, "9"], [170, "5"]] }""");
        var series = TimeSeries.Read(answer.RootElement, "values");
        Assert.Equal([1, null, null, 0.0045, null], PanelReader.Align(series, new TimeGrid(100, 140, 10)));
        Assert.Equal("a:1, {{other}}", PanelReader.NameOf("{{member}}, {{other}}", series.Labels));
    }

    [Fact]
    public void A_tile_says_when_to_look()
    {
        var high = new Tile("", "", PanelUnit.Number, "", Warning: 10, Critical: 20);
        Assert.Equal([TileState.Well, TileState.Warning, TileState.Critical], ((double[])[9.9, 10, 20]).Select(high.Judge));
        var low = new Tile("", "", PanelUnit.Share, "", Warning: 0.2, Critical: 0.1, LowIsBad: true);
        Assert.Equal([TileState.Well, TileState.Warning, TileState.Critical], ((double[])[0.21, 0.2, 0.1]).Select(low.Judge));
        Assert.Equal(TileState.Well, new Tile("", "", PanelUnit.Number, "").Judge(double.MaxValue));
    }

    [GeneratedRegex("platform_[a-z_]+(?![a-z_]|{job=)")]
    private static partial Regex OfMonitor();
}
