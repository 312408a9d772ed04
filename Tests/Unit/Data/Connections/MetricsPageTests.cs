using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class MetricsPageTests
{
    private const string Begin = "<!-- generated from the instruments: begin -->\n";
    private const string End = "<!-- generated: end -->";

    [Fact]
    public void The_page_on_metrics_shows_the_instruments_as_they_are()
    {
        var path = Path.Combine(Repository.Root, "docs", "connections-metrics.md");
        var page = File.ReadAllText(path);
        var begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, "docs/connections-metrics.md lacks the marks of its generated part.");

        var wanted = page[..begin] + "\n" + MongoMetrics.Render() + "\n" + page[end..];
        if (Environment.GetEnvironmentVariable("PLATFORM_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, wanted);
            return;
        }

        Assert.True(wanted == page, "docs/connections-metrics.md is stale: run this test with PLATFORM_UPDATE_DOCS=1 and commit the page.");
    }
}
