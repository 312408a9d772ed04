using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Platform.Mongo.Connections;
using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed partial class ConnectionsPageTests
{
    [Fact]
    public void The_page_on_connections_shows_the_settings_as_they_are() =>
        GeneratedPage.CheckPart("connections.md", "MongoOptions", Render());

    // From the doc comments, the declared limits and a fresh instance: nothing is said twice.
    private static string Render()
    {
        var comments = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Platform.Mongo.xml"))
            .Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);
        var rows = new List<string>();
        Add(MongoOptions.Section, new MongoOptions());
        Assert.True(rows.Count > 25);
        var table = new StringBuilder("| Key | Default | Allowed | Connection string | What and why |\n| --- | --- | --- | --- | --- |\n");
        return table.AppendJoin('\n', rows).Append('\n').ToString();

        void Add(string section, object options)
        {
            foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                var value = property.GetValue(options)!;
                if (property.PropertyType.Namespace == typeof(MongoOptions).Namespace)
                {
                    Add($"{section}:{property.Name}", value);
                    continue;
                }

                var comment = comments[$"P:{property.DeclaringType!.FullName}.{property.Name}"];
                var option = comment.Element("remarks")?.Value.Trim();
                rows.Add(string.Join(" | ",
                    $"| `{section}:{property.Name}`",
                    value is "" ? "" : $"`{Convert.ToString(value, CultureInfo.InvariantCulture)}`",
                    Cell(SettingLimits.AllowedOf(property) is { } allowed && !allowed.StartsWith("text", StringComparison.Ordinal) ? allowed : ""),
                    option is null ? "" : $"`{option}`",
                    $"{DefaultAtTheEnd().Replace(Cell(Text(comment.Element("summary")!)), "")} |"));
            }
        }
    }

    // It has a column of its own.
    [GeneratedRegex(@" Default: [^.]*(\.\d+)?\.$")]
    private static partial Regex DefaultAtTheEnd();

    private static string Text(XElement comment) => string.Concat(comment.Nodes().Select(node => node switch
    {
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
        _ => node.ToString(),
    }));

    private static string Cell(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Replace("|", "\\|", StringComparison.Ordinal);
}
