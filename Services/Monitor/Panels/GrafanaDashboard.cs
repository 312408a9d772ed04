using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Platform.Monitor.Panels;

/// <summary>The catalogue of panels as a dashboard for Grafana.</summary>
/// <remarks><see href="https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/"/></remarks>
internal static class GrafanaDashboard
{
    private const int Columns = 24;
    private const int PanelWidth = 8;
    private const int PanelHeight = 8;

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The dashboard, which asks whoever imports it for the Prometheus to use.</summary>
    public static string Create()
    {
        var panels = new JsonArray();
        var (id, y) = (0, 0);
        foreach (var section in PanelCatalogue.Sections)
        {
            panels.Add(new JsonObject
            {
                ["id"] = ++id, ["type"] = "row", ["title"] = section.Title, ["collapsed"] = false, ["gridPos"] = Position(0, y++, Columns, 1),
            });
            foreach (var (index, panel) in section.Panels.Index())
            {
                var column = index * PanelWidth % Columns;
                panels.Add(new JsonObject
                {
                    ["id"] = ++id,
                    ["type"] = "timeseries",
                    ["title"] = panel.Title,
                    ["datasource"] = Source(),
                    ["fieldConfig"] = new JsonObject
                    {
                        ["defaults"] = new JsonObject { ["unit"] = UnitOf(panel.Unit), ["min"] = 0 }, ["overrides"] = new JsonArray(),
                    },
                    ["gridPos"] = Position(column, y + (index * PanelWidth / Columns * PanelHeight), PanelWidth, PanelHeight),
                    ["targets"] = new JsonArray([.. panel.Queries.Index().Select(query => new JsonObject
                    {
                        ["refId"] = ((char)('A' + query.Index)).ToString(),
                        ["datasource"] = Source(),
                        ["expr"] = query.Item.Expression.Replace(PanelCatalogue.Window, "$__rate_interval", StringComparison.Ordinal),
                        ["legendFormat"] = query.Item.Legend,
                    })]),
                });
            }

            y += (section.Panels.Count + (Columns / PanelWidth) - 1) / (Columns / PanelWidth) * PanelHeight;
        }

        return new JsonObject
        {
            ["uid"] = "platform",
            ["title"] = "Platform",
            ["tags"] = new JsonArray("platform"),
            ["schemaVersion"] = 39,
            ["timezone"] = "browser",
            ["refresh"] = "30s",
            ["time"] = new JsonObject { ["from"] = "now-1h", ["to"] = "now" },
            ["templating"] = new JsonObject
            {
                ["list"] = new JsonArray(new JsonObject { ["name"] = "source", ["label"] = "Prometheus", ["type"] = "datasource", ["query"] = "prometheus" }),
            },
            ["panels"] = panels,
        }.ToJsonString(s_json) + "\n";
    }

    private static JsonObject Source() => new() { ["type"] = "prometheus", ["uid"] = "${source}" };

    private static JsonObject Position(int x, int y, int width, int height) => new() { ["x"] = x, ["y"] = y, ["w"] = width, ["h"] = height };

    private static string UnitOf(PanelUnit unit) => unit switch
    {
        PanelUnit.Number => "short",
        PanelUnit.PerSecond => "ops",
        PanelUnit.Share => "percentunit",
        PanelUnit.Seconds => "s",
        PanelUnit.Bytes => "bytes",
        _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, null),
    };
}
