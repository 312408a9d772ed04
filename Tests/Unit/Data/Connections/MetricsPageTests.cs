using System.Text;
using Platform.Mongo.Connections;
using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class MetricsPageTests
{
    [Fact]
    public void The_page_on_metrics_shows_the_instruments_as_they_are() =>
        GeneratedPage.CheckPart("connections-metrics.md", "the instruments", Render());

    private static string Render()
    {
        var page = new StringBuilder("| Metric | Kind | Unit | Attributes | Meaning |\n| --- | --- | --- | --- | --- |\n");
        foreach (var metric in MongoMetrics.Definitions)
        {
            page.Append("| `").Append(metric.Name).Append("` | ").Append(metric.Kind).Append(" | `").Append(metric.Unit).Append("` | ")
                .AppendJoin(", ", metric.Attributes.Select(attribute => $"`{attribute}`"))
                .Append(" | ").Append(metric.Description).Append(". |\n");
        }

        return page.ToString();
    }
}
